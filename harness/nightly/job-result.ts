import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { worst, type Outcome, type Verdict } from "../../checkers/index.ts";
import { encodeHeader } from "../../model/index.ts";
import {
  nightFiles,
  readManifest,
  runFiles,
  type FailedProperty,
  type Manifest,
} from "../../results/index.ts";
import { exitCodeOf, exitCodes } from "../exit-codes.ts";
import { duration } from "../progress.ts";
import type { ChildEnd } from "./child.ts";
import { commandOfJob, type Job } from "./job.ts";
import type { JobResult } from "./journal.ts";

/** What is to become of a job whose process has ended. */
export type Disposition =
  | { readonly kind: "ended"; readonly result: JobResult }
  /** Nothing was done yet: it may be started again. */
  | { readonly kind: "could not start"; readonly result: JobResult };

/** How a job came out whose process ended, by what it left on disk. `night` is the night's directory. */
export function dispositionOf(job: Job, end: ChildEnd, night: string): Disposition {
  const run = newestRun(night, job.id);
  const { status, detail } = statusOf(job, end, run, lastLine(logOf(night, job.id)));
  const result = resultOf(job, night, run, { status, detail, ms: end.ms });
  return { kind: status === "could not start" ? "could not start" : "ended", result };
}

/** The result of a job whose supervisor died: undefined where its run has not come to its verdicts. */
export function resultLeft(job: Job, night: string): JobResult | undefined {
  const run = newestRun(night, job.id);
  if (run === undefined) return undefined;
  const { manifest } = run;
  const ms = Date.parse(manifest.endedAt ?? manifest.startedAt) - Date.parse(manifest.startedAt);
  if (manifest.status === "complete") return resultOf(job, night, run, { status: "done", detail: "", ms });
  // It ended early, together with its supervisor; what it has found it has found.
  if (manifest.outcome !== "violated") return undefined;
  return resultOf(job, night, run, { status: "ended early", detail: "its supervisor died", ms });
}

/** A job that had no turn. */
export function notRun(job: Job, reason: string): JobResult {
  return {
    ...nothing,
    status: "not run",
    verdict: "unknown",
    detail: reason,
    directory: null,
    command: commandOfJob(job),
    failed: [],
    seconds: 0,
  };
}

const nothing = { held: [], vacuous: [], operations: 0, evidence: null } as const;

/** A run below the night's directory. */
export interface KeptRun {
  readonly directory: string;
  readonly manifest: Manifest;
}

type Ended = Pick<JobResult, "status" | "detail">;

function statusOf(job: Job, end: ChildEnd, run: KeptRun | undefined, said: string): Ended {
  const manifest = run?.manifest;
  const { code, signal, ending, killed } = end;
  if (ending === "its limit") {
    const how = killed ? " and had to be killed" : "";
    return { status: "hung", detail: `it did not end within ${duration(job.limitMs)}${how}` };
  }
  if (ending === "its memory")
    return {
      status: "out of memory",
      detail: `it used more than ${Math.round(job.processBytes / 2 ** 20)} MiB`,
    };
  if (ending === "the supervisor") return { status: "ended early", detail: "the plan was ended" };
  if (manifest?.status === "interrupted") return { status: "ended early", detail: "it was interrupted" };
  if (manifest?.status === "complete" && manifest.outcome !== null && code === exitCodeOf(manifest.outcome))
    return { status: "done", detail: "" };
  if (code === exitCodes.usage) return { status: "refused", detail: said };
  const how = signal === null ? `exit code ${code ?? "unknown"}` : `killed by ${signal}`;
  const detail = said === "" ? how : `${how}: ${said}`;
  return { status: run !== undefined && hasBegun(run) ? "crashed" : "could not start", detail };
}

/** Whether anything was recorded: the manifest tells of operations only when they are over. */
export function hasBegun({ directory, manifest }: KeptRun): boolean {
  const history = join(directory, runFiles.history);
  const isRecorded = existsSync(history) && statSync(history).size > encodeHeader().length;
  return isRecorded || manifest.outcome !== null;
}

function resultOf(
  job: Job,
  night: string,
  run: KeptRun | undefined,
  { status, detail, ms }: Ended & { readonly ms: number },
): JobResult {
  const verdicts = run?.manifest.verdicts ?? [];
  const outcomes: readonly Outcome[] = [
    ...verdicts.map(({ verdict }) => verdict),
    ...(status === "done" && verdicts.length > 0 ? [] : (["unknown"] as const)),
  ];
  return {
    status,
    verdict: worst(outcomes),
    detail,
    directory: run === undefined ? null : relative(night, run.directory),
    command: commandOfJob(job),
    failed: verdicts.flatMap(failedProperty),
    held: verdicts.flatMap(({ name, verdict, vacuous }) =>
      verdict === "holds" && vacuous !== true ? [name] : [],
    ),
    vacuous: verdicts.flatMap(({ name, verdict, vacuous }) =>
      verdict === "holds" && vacuous === true ? [name] : [],
    ),
    operations: run?.manifest.operations ?? 0,
    seconds: Math.max(0, ms / 1000),
    evidence: run?.manifest.evidence ?? null,
  };
}

/** What is told of a verdict: the whole of it is in the run's report. */
const summaryCharactersMax = 400;

export function failedProperty({ name, verdict, detail, violation }: Verdict): readonly FailedProperty[] {
  if (verdict === "holds") return [];
  const text = violation?.summary ?? detail;
  const summary = text.length <= summaryCharactersMax ? text : `${text.slice(0, summaryCharactersMax)}…`;
  return [{ name, verdict, summary }];
}

/** The newest run of a job; a job that could not start at first may have left several. */
export function newestRun(night: string, job: string): KeptRun | undefined {
  const folder = join(night, nightFiles.runs, job);
  if (!existsSync(folder)) return undefined;
  const found: KeptRun[] = [];
  for (const scenario of readdirSync(folder, { withFileTypes: true })) {
    if (!scenario.isDirectory()) continue;
    for (const entry of readdirSync(join(folder, scenario.name), { withFileTypes: true })) {
      const directory = join(folder, scenario.name, entry.name);
      if (!entry.isDirectory() || !existsSync(join(directory, runFiles.manifest))) continue;
      found.push({ directory, manifest: readManifest(directory) });
    }
  }
  return found.toSorted((a, b) => Date.parse(a.manifest.startedAt) - Date.parse(b.manifest.startedAt)).at(-1);
}

/** Where a job's output goes. */
export function logOf(night: string, job: string): string {
  return join(night, nightFiles.logs, `${job}.log`);
}

const tailBytes = 4096;

/** The last line that a process wrote, without its own name before it; "" where there is none. */
export function lastLine(path: string): string {
  if (!existsSync(path)) return "";
  const descriptor = openSync(path, "r");
  try {
    const { size } = fstatSync(descriptor);
    const tail = Buffer.alloc(Math.min(tailBytes, size));
    readSync(descriptor, tail, 0, tail.length, size - tail.length);
    const line = tail.toString("utf8").trimEnd().split("\n").at(-1) ?? "";
    return line.replace(/^zabcheck: /, "").slice(0, summaryCharactersMax);
  } finally {
    closeSync(descriptor);
  }
}
