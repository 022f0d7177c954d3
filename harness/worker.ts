import { Session } from "./session.ts";
import type { Worker } from "./workloads/workload.ts";
import type { World } from "./world.ts";

/** The longest pause between two operations, so that a slow rate doesn't outsleep the run's end. */
const pauseMsMax = 500;

/** The i-th worker: its operations come at random intervals around the pace, independent of the other workers'. */
export function makeWorker(world: World, number: number): Worker {
  const random = world.random(`worker/${number}`);
  const { rate, workers } = world.options;
  const meanMs = rate === 0 ? 0 : (1000 * workers) / rate;
  const { servers, clock } = world.cluster;
  let dueNs = clock.now();
  let sessions = 0;
  return {
    number,
    world,
    random,
    session(options = {}) {
      const first = servers[number % servers.length];
      return new Session(world, {
        process: number,
        random: world.random(`session/${number}/${sessions++}`),
        ...(first === undefined ? {} : { first }),
        ...options,
      });
    },
    async pace() {
      if (world.stopping) return false;
      if (meanMs === 0) return true;
      // Uniform between 0 and twice the mean. Who fell behind during an outage does not catch up in a burst.
      dueNs = Math.max(dueNs, clock.now()) + 2e6 * meanMs * random.fraction();
      for (let leftMs = (dueNs - clock.now()) / 1e6; leftMs > 0.05; leftMs = (dueNs - clock.now()) / 1e6) {
        await world.sleep(Math.min(pauseMsMax, leftMs));
        if (world.stopping) return false;
      }
      return true;
    },
  };
}
