import { diskSpace } from "./disk-space.ts";
import type { FaultEntry } from "./effect.ts";
import { probeDisks } from "./lifecycle.ts";
import { logWrites, probeTrace } from "./log-writes.ts";
import { restartAndRepair } from "./repair.ts";

export const diskFull: FaultEntry = {
  mechanisms: [diskSpace],
  needs: "disks",
  probe: probeDisks,
  mend: restartAndRepair,
};

export const diskError: FaultEntry = { mechanisms: [logWrites], probe: probeTrace, mend: restartAndRepair };

export const slowDisk: FaultEntry = { mechanisms: [logWrites], probe: probeTrace };
