import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { nightFiles } from "../../results/index.ts";
import { killGroup, runChild, type ChildEnd } from "./child.ts";
import type { Job } from "./job.ts";
import { dispositionOf, logOf, type Disposition } from "./job-result.ts";
import { judgedResult } from "./judge-left.ts";

/** Where and how jobs are done. */
export interface Workplace {
  /** What the jobs leave is kept below it, as in a night's directory. */
  readonly directory: string;
  /** The words that start zabcheck. */
  readonly command: readonly string[];
}

/**
 * Does a job in a process of its own, so that nothing that it does harms who supervises it, and finds out how it came
 * out from what it left. What a killed one left at a Docker Engine is swept away.
 */
export async function doJob(
  job: Job,
  place: Workplace,
  stop: AbortSignal,
  onStart: (pid: number) => void = () => undefined,
): Promise<Disposition> {
  const { directory, command } = place;
  const runs = join(directory, nightFiles.runs, job.id);
  mkdirSync(runs, { recursive: true });
  mkdirSync(join(directory, nightFiles.logs), { recursive: true });
  const end = await runChild({
    command: [...withHeap(command, job), ...job.words, "--results", runs],
    log: logOf(directory, job.id),
    limitMs: job.limitMs,
    graceMs: job.graceMs,
    memoryBytesMax: job.processBytes,
    stop,
    onStart,
  });
  if (job.usesDocker && diedBadly(end)) await sweep(command);
  const disposition = dispositionOf(job, end, directory);
  if (disposition.kind === "could not start" || disposition.result.status === "done") return disposition;
  return { kind: "ended", result: await judgedResult(job, disposition.result, directory, command) };
}

/** So that a process that wants too much of V8's heap dies of it before the machine does. */
function withHeap([program = "", ...words]: readonly string[], { processBytes }: Job): readonly string[] {
  if (program !== process.execPath) return [program, ...words];
  return [program, `--max-old-space-size=${Math.round(processBytes / 2 ** 20)}`, ...words];
}

function diedBadly({ killed, signal, code }: ChildEnd): boolean {
  return killed || signal !== null || code === null || code > 128;
}

const sweepMs = 120_000;

/** A process of its own, too: an Engine that hangs must not hold up the plan. */
async function sweep([program = "", ...words]: readonly string[]): Promise<void> {
  const { spawn } = await import("node:child_process");
  const child = spawn(program, [...words, "clean"], { stdio: "ignore", detached: true });
  const timer = setTimeout(() => killGroup(child.pid ?? 0), sweepMs);
  await new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  clearTimeout(timer);
}
