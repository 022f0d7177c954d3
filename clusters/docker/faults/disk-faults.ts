import { diskSpace } from "./disk-space.ts";
import type { FaultEntry } from "./effect.ts";
import { probeDisks } from "./lifecycle.ts";
import { logWrites, probeTrace } from "./log-writes.ts";
import { restartAndRepair } from "./repair.ts";

export const diskFull: FaultEntry = {
  how: "data on an ext4 of their own, which is filled",
  mechanisms: [diskSpace],
  needs: "disks",
  probe: probeDisks,
  mend: restartAndRepair,
};

export const diskError: FaultEntry = {
  how: "strace fails system calls of the thread that logs",
  mechanisms: [logWrites],
  probe: probeTrace,
  mend: restartAndRepair,
};

export const slowDisk: FaultEntry = {
  how: "strace delays system calls of the thread that logs",
  mechanisms: [logWrites],
  probe: probeTrace,
};
