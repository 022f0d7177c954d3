import type { FaultKind } from "../../fault.ts";
import { clock, clockRate, wallClock } from "./clock.ts";
import { damage } from "./damage.ts";
import { diskError, diskFull, powerCut, slowDisk } from "./disk-faults.ts";
import { diskSpace } from "./disk-space.ts";
import type { FaultEntry, Mechanism } from "./effect.ts";
import { kill, lifecycle, pause } from "./lifecycle.ts";
import { logWrites } from "./log-writes.ts";
import { reconfig } from "./membership.ts";
import { loss, packets, partition, reset } from "./packets.ts";
import { processor, starve } from "./processor.ts";
import { rollingRestart, upgrade } from "./rolling.ts";
import { delay, slowLinks } from "./slow-links.ts";

export type { Ensemble, FaultEntry, Mechanism, Place, Preparation } from "./effect.ts";
export { falseClockEnvironment, falseClockFiles, falseClockLibrary, falseClockUser } from "./clock.ts";

/** Each kind of fault as it is done to real servers. To add one: a file beside this, and its entry here. */
export const entries: { readonly [kind in FaultKind]: FaultEntry } = {
  partition,
  loss,
  delay,
  reset,
  kill,
  pause,
  "power-cut": powerCut,
  starve,
  "disk-full": diskFull,
  "disk-error": diskError,
  "slow-disk": slowDisk,
  damage,
  clock,
  "clock-rate": clockRate,
  "rolling-restart": rollingRestart,
  upgrade,
  reconfig,
};

/** The order in which a server is brought where faults want it: what is traced must live first. */
export const mechanismsInOrder: readonly Mechanism[] = [
  slowLinks,
  packets,
  processor,
  wallClock,
  diskSpace,
  lifecycle,
  logWrites,
];
