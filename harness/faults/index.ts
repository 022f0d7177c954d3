import type { FaultFamily } from "./fault-family.ts";
import { kill } from "./kill.ts";
import { partition } from "./partition.ts";
import { pause } from "./pause.ts";

/** What `--faults` can name. To add one: a file beside this, and its entry here. */
export const families: readonly FaultFamily[] = [partition, kill, pause];
