import type { Command } from "commander";
import { addCheck } from "./check.ts";
import { addCheckLogs } from "./check-logs.ts";
import { addClean } from "./clean.ts";
import { addDemo } from "./demo.ts";
import { addExplore } from "./explore.ts";
import { addFaults } from "./faults.ts";
import { addImage } from "./image.ts";
import { addReport } from "./report.ts";
import { addModels } from "./models.ts";
import { addNightly } from "./nightly.ts";
import { addReplay } from "./replay.ts";
import { addRun } from "./run.ts";
import { addShrink } from "./shrink.ts";
import { addWorker } from "./worker.ts";

/**
 * The commands, in the order of `zabcheck --help`. Each file exports one `add...(program)` that declares options
 * only; what it does is imported when it runs, so that `zabcheck check` starts at once.
 */
export const commands: readonly ((program: Command) => void)[] = [
  addExplore,
  addRun,
  addCheck,
  addCheckLogs,
  addNightly,
  addWorker,
  addReplay,
  addShrink,
  addReport,
  addDemo,
  addModels,
  addFaults,
  addImage,
  addClean,
];
