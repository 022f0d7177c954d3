import type { Member } from "../member.ts";
import { always, type Ensemble, type FaultEntry, heldDead, hits, type Mechanism } from "./effect.ts";
import { logWrites } from "./log-writes.ts";

/** Alive, dead or frozen. */
export const lifecycle: Mechanism = {
  undo: (member) => [
    { step: "unpause", container: member.serverContainer },
    { step: "start", container: member.serverContainer },
  ],
  async settle(member, inForce, ensemble) {
    if (heldDead(member.name, inForce)) {
      if (member.killed) return;
      if (hits(member.name, inForce, "power-cut").length > 0) await cutPower(member, ensemble);
      await member.killServer();
      return;
    }
    // A server that ended by itself stays dead: that is a finding, not a fault of ours.
    if (member.killed) await member.startServer();
    const state = await member.state();
    const frozen = hits(member.name, inForce, "pause").length > 0;
    if (!state.running || state.paused === frozen) return;
    await (frozen ? member.pauseServer() : member.unpauseServer());
  },
};

/** Frozen first, so that the server does not see its disk go: with the power everything ends at once. */
async function cutPower(member: Member, { disks }: Ensemble): Promise<void> {
  if (disks === undefined) throw new Error("no disks were prepared");
  const { running, paused } = await member.state();
  if (!running) return;
  if (!paused) await member.pauseServer();
  await disks.cutPower(member.name);
}

/** A server that is started again has to be traced again. */
export const lifeMechanisms: readonly Mechanism[] = [lifecycle, logWrites];

export const kill: FaultEntry = {
  how: "the Engine sends SIGKILL",
  mechanisms: lifeMechanisms,
  probe: always,
};
export const pause: FaultEntry = {
  how: "the Engine freezes the container",
  mechanisms: lifeMechanisms,
  probe: always,
};
