import { diskHost, makeDisk } from "../disks.ts";
import { toolText } from "../data-files.ts";
import type { Member } from "../member.ts";
import { tryOut } from "../try-out.ts";
import {
  always,
  type Ensemble,
  type FaultEntry,
  heldDead,
  hits,
  type Mechanism,
  oneLine,
  type Place,
} from "./effect.ts";
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
const mechanisms: readonly Mechanism[] = [lifecycle, logWrites];

export const kill: FaultEntry = { how: "the Engine sends SIGKILL", mechanisms, probe: always };
export const pause: FaultEntry = { how: "the Engine freezes the container", mechanisms, probe: always };
export const powerCut: FaultEntry = {
  how: "data on an ext4 of their own, which is cut off from its loop device",
  mechanisms,
  needs: "disks",
  probe: probeDisks,
};

/** Makes a small disk, cuts it off and mounts it again. */
export async function probeDisks({ engine, labels, sideImage }: Place): Promise<string | undefined> {
  const script = `set -e
    ${makeDisk}
    mkdir -p /disks; make_disk /disks/trial.img >/tmp/made; loop=$(tail -n 1 /tmp/made)
    printf '%s' "$CUT_POWER" >/tmp/cut-power.pl
    mount $loop /mnt/disk; echo kept >/mnt/disk/kept; sync -f /mnt/disk
    echo lost >/mnt/disk/lost; perl /tmp/cut-power.pl /mnt/disk; umount /mnt/disk
    mount $loop /mnt/disk; [ -s /mnt/disk/kept ]; [ ! -s /mnt/disk/lost ]; umount /mnt/disk`;
  const env = [`CUT_POWER=${toolText("cut-power.pl")}`];
  const { code, output } = await tryOut(engine, labels, { image: sideImage, script, host: diskHost, env });
  return code === 0
    ? undefined
    : `the Docker host gives containers no file system on a loop device: ${oneLine(output)}`;
}
