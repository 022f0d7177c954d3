import { clock } from "./clock.ts";
import { clockRate } from "./clock-rate.ts";
import { damage } from "./damage.ts";
import { delay } from "./delay.ts";
import { diskError } from "./disk-error.ts";
import { diskFull } from "./disk-full.ts";
import type { FaultFamily } from "./fault-family.ts";
import { kill } from "./kill.ts";
import { loss } from "./loss.ts";
import { partition } from "./partition.ts";
import { pause } from "./pause.ts";
import { powerCut } from "./power-cut.ts";
import { reconfig } from "./reconfig.ts";
import { reset } from "./reset.ts";
import { rollingRestart } from "./rolling-restart.ts";
import { slowDisk } from "./slow-disk.ts";
import { starve } from "./starve.ts";
import { upgrade } from "./upgrade.ts";

/** What `--faults` can name. To add one: a file beside this, and its entry here. */
export const families: readonly FaultFamily[] = [
  partition,
  loss,
  delay,
  reset,
  kill,
  pause,
  powerCut,
  starve,
  diskFull,
  diskError,
  slowDisk,
  damage,
  clock,
  clockRate,
  rollingRestart,
  upgrade,
  reconfig,
];
