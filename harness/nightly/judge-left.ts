import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { runFiles, verdictSchema } from "../../results/index.ts";
import { worst } from "../../checkers/index.ts";
import type { Job } from "./job.ts";
import { failedProperty, newestRun } from "./job-result.ts";
import type { JobResult } from "./journal.ts";

const execute = promisify(execFile);
const checkMs = 300_000;
const outputBytesMax = 64 * 2 ** 20;

const outputSchema = z.object({
  checks: z.array(verdictSchema),
  operations: z.int().nonnegative().optional(),
});

/**
 * Judges what a run has recorded that did not come to its own verdicts. A violation in it is one; that nothing is
 * violated so far is no pass, and leaves the result as it is. `command` starts zabcheck.
 */
export async function judgedResult(
  job: Job,
  result: JobResult,
  night: string,
  command: readonly string[],
): Promise<JobResult> {
  const run = newestRun(night, job.id);
  if (run === undefined || run.manifest.outcome !== null) return result;
  const history = join(run.directory, runFiles.history);
  if (!existsSync(history)) return result;
  const output = await outputOf(command, ["check", history, "--json", "--time", "120s"]);
  // For people: it shows the run as far as it had come.
  await outputOf(command, ["report", run.directory]);
  const parsed = outputSchema.safeParse(parseOrUndefined(output));
  if (!parsed.success) return { ...result, detail: `${result.detail}; its history could not be judged` };
  const { checks, operations = 0 } = parsed.data;
  const violated = checks.filter(({ verdict }) => verdict === "violated");
  const found =
    violated.length === 0 ? "nothing in what it recorded is violated" : "what it recorded is violated";
  return {
    ...result,
    detail: `${result.detail}; ${found}`,
    verdict: worst([result.verdict, ...violated.map(({ verdict }) => verdict)]),
    failed: [...result.failed, ...violated.flatMap(failedProperty)],
    operations: Math.max(result.operations, operations),
  };
}

async function outputOf(
  [program = "", ...first]: readonly string[],
  words: readonly string[],
): Promise<string> {
  const options = { timeout: checkMs, maxBuffer: outputBytesMax };
  return execute(program, [...first, ...words], options).then(
    ({ stdout }) => stdout,
    // Exit code 1 is an answer, too.
    (error: { readonly stdout?: string }) => error.stdout ?? "",
  );
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
