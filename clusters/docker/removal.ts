import { setTimeout as sleep } from "node:timers/promises";
import { type Engine, engineFailure, isMissing, reasonOf } from "./engine.ts";

/** Removes a container by force, whatever its state. */
export async function removeContainer(engine: Engine, container: string): Promise<void> {
  await tolerant(`remove the container ${container}`, () =>
    engine.getContainer(container).remove({ force: true, v: true }),
  );
}

export async function removeVolume(engine: Engine, volume: string): Promise<void> {
  await tolerant(`remove the volume ${volume}`, () => engine.getVolume(volume).remove({ force: true }));
}

export async function removeNetwork(engine: Engine, network: string): Promise<void> {
  await tolerant(`remove the network ${network}`, () => engine.getNetwork(network).remove());
}

const busyAttemptsMax = 25;
const busyPauseMs = 200;

/** What is gone already is removed. What another process is removing just now, or what its users still hold, is asked for again. */
async function tolerant(what: string, action: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await action();
      return;
    } catch (error) {
      if (isMissing(error)) return;
      const busy = /already in progress|active endpoints|in use/i.test(reasonOf(error));
      if (!busy || attempt === busyAttemptsMax) throw engineFailure(what, error);
      await sleep(busyPauseMs);
    }
  }
}
