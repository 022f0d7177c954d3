import { join } from "node:path";
import { writeAtomically } from "../store/run-directory.ts";
import { unwritable } from "../store/folders.ts";
import { junitOf } from "./junit.ts";
import { markdownOf } from "./markdown.ts";
import { nightFiles } from "./night-directory.ts";
import { summaryPage } from "./summary-page.ts";
import type { NightSummary } from "./summary.ts";

/** Writes a night's summary in all its forms, the one for programs last. Throws OperationError where it cannot. */
export function writeSummary(directory: string, summary: NightSummary): void {
  try {
    writeAtomically(join(directory, nightFiles.page), summaryPage(summary));
    writeAtomically(join(directory, nightFiles.markdown), markdownOf(summary));
    writeAtomically(join(directory, nightFiles.junit), junitOf(summary));
    writeAtomically(join(directory, nightFiles.summary), `${JSON.stringify(summary, null, 1)}\n`);
  } catch (error) {
    throw unwritable(directory, error);
  }
}
