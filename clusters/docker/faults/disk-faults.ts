import { refuseDiskFault } from "../../disk-rules.ts";
import type { Fault } from "../../fault.ts";
import { toolText } from "../data-files.ts";
import { diskHost, makeDisk } from "../disks.ts";
import { tryOut } from "../try-out.ts";
import { diskSpace } from "./disk-space.ts";
import { type Ensemble, type FaultEntry, oneLine, type Place } from "./effect.ts";
import { lifeMechanisms } from "./lifecycle.ts";
import { logWrites, probeTrace } from "./log-writes.ts";
import { repair, restartAndRepair } from "./repair.ts";

export const powerCut: FaultEntry = {
  how: "data on an ext4 of their own, which is cut off from its loop device",
  mechanisms: lifeMechanisms,
  needs: "disks",
  probe: probeDisks,
  mend: repair,
};

export const diskFull: FaultEntry = {
  how: "data on an ext4 of their own, which is filled",
  mechanisms: [diskSpace],
  needs: "disks",
  probe: probeDisks,
  refuse,
  mend: restartAndRepair,
};

export const diskError: FaultEntry = {
  how: "strace fails system calls of the thread that logs",
  mechanisms: [logWrites],
  probe: probeTrace,
  refuse,
  mend: restartAndRepair,
};

export const slowDisk: FaultEntry = {
  how: "strace delays system calls of the thread that logs",
  mechanisms: [logWrites],
  probe: probeTrace,
};

function refuse(fault: Fault, { voters, unfinished }: Ensemble): Promise<string | undefined> {
  return Promise.resolve(refuseDiskFault(fault, voters, unfinished()));
}

/** Makes a small disk, cuts it off and mounts it again. */
async function probeDisks({ engine, labels, sideImage }: Place): Promise<string | undefined> {
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
