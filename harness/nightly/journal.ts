import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { z } from "zod";
import type { Owner } from "../../clusters/index.ts";
import { OperationError } from "../../model/index.ts";
import {
  jobStatuses,
  outcomeSchema,
  runEvidenceSchema,
  type JobSummary,
  type RunEvidence,
} from "../../results/index.ts";

/** How a job came out: what the summary tells of it, and what its run exercised. */
export interface JobResult extends Omit<JobSummary, "subject" | "id" | "starts"> {
  readonly evidence: RunEvidence | null;
}

/** One line of a night's journal. Each is on disk before what it announces is done. */
export type JournalLine =
  /** A process takes the night up: the first time, or where another left it. */
  | { readonly event: "session"; readonly at: string; readonly owner: Owner }
  | { readonly event: "started"; readonly at: string; readonly job: string }
  /** Its process exists. */
  | { readonly event: "running"; readonly at: string; readonly job: string; readonly owner: Owner }
  /** It could not start, and will be started again. */
  | { readonly event: "postponed"; readonly at: string; readonly job: string; readonly reason: string }
  | { readonly event: "ended"; readonly at: string; readonly job: string; readonly result: JobResult }
  /** Nothing more will be done. */
  | { readonly event: "finished"; readonly at: string };

export const ownerSchema: z.ZodType<Owner> = z.object({
  pid: z.int(),
  start: z.string(),
  host: z.string(),
  boot: z.string(),
  namespace: z.string(),
});

export const resultSchema: z.ZodType<JobResult> = z.object({
  status: z.enum(jobStatuses),
  verdict: outcomeSchema,
  detail: z.string(),
  directory: z.string().nullable(),
  command: z.string(),
  failed: z.array(
    z.object({ name: z.string(), verdict: z.enum(["violated", "unknown"]), summary: z.string() }),
  ),
  held: z.array(z.string()),
  vacuous: z.array(z.string()),
  operations: z.int().nonnegative(),
  seconds: z.number().nonnegative(),
  evidence: runEvidenceSchema.nullable(),
});

const at = z.iso.datetime();
const lineSchema: z.ZodType<JournalLine> = z.discriminatedUnion("event", [
  z.object({ event: z.literal("session"), at, owner: ownerSchema }),
  z.object({ event: z.literal("started"), at, job: z.string() }),
  z.object({ event: z.literal("running"), at, job: z.string(), owner: ownerSchema }),
  z.object({ event: z.literal("postponed"), at, job: z.string(), reason: z.string() }),
  z.object({ event: z.literal("ended"), at, job: z.string(), result: resultSchema }),
  z.object({ event: z.literal("finished"), at }),
]);

/** What a journal says has been done. */
export interface NightState {
  readonly results: ReadonlyMap<string, JobResult>;
  /** Started and not ended, with their processes, as far as these are known. */
  readonly underWay: ReadonlyMap<string, Owner | null>;
  /** How often each job was started. */
  readonly starts: ReadonlyMap<string, number>;
  /** How often each could not start. */
  readonly postponed: ReadonlyMap<string, number>;
  /** Who works at the night, or did last. */
  readonly owner: Owner | undefined;
  /** How long the night was worked at, all sessions together. */
  readonly activeMs: number;
  readonly finished: boolean;
}

/**
 * Appends to a night's journal. Space for its last lines is kept free: where the disk is full they can be written all
 * the same.
 */
export class Journal {
  readonly #path: string;
  readonly #descriptor: number;

  /** Throws OperationError where the file cannot be opened. A line that was torn by a kill is ended. */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = this.#attempt(() => openSync(path, "a"));
    const text = this.#attempt(() => readFileSync(path, "utf8"));
    if (text !== "" && !text.endsWith("\n")) this.#attempt(() => writeSync(this.#descriptor, "\n"));
  }

  write(line: JournalLine): void {
    this.#attempt(() => {
      writeSync(this.#descriptor, `${JSON.stringify(line)}\n`);
      fsyncSync(this.#descriptor);
    });
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #attempt<T>(step: () => T): T {
    try {
      return step();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new OperationError(
        "JOURNAL_UNWRITABLE",
        `${this.#path}: ${reason}`,
        "free disk space; the night goes on with the next call",
        error,
      );
    }
  }
}

/** Reads a journal. Lines that a kill has torn are left out: what they announce was not done. */
export function readJournal(path: string): NightState {
  const results = new Map<string, JobResult>();
  const underWay = new Map<string, Owner | null>();
  const starts = new Map<string, number>();
  const postponed = new Map<string, number>();
  let owner: Owner | undefined;
  let finished = false;
  let activeMs = 0;
  let lastMs: number | undefined;
  for (const line of linesOf(path)) {
    const nowMs = Date.parse(line.at);
    // Between two sessions nobody worked at it.
    if (line.event !== "session" && lastMs !== undefined) activeMs += Math.max(0, nowMs - lastMs);
    lastMs = nowMs;
    switch (line.event) {
      case "session":
        owner = line.owner;
        break;
      case "started":
        underWay.set(line.job, null);
        starts.set(line.job, (starts.get(line.job) ?? 0) + 1);
        break;
      case "running":
        underWay.set(line.job, line.owner);
        break;
      case "postponed":
        underWay.delete(line.job);
        postponed.set(line.job, (postponed.get(line.job) ?? 0) + 1);
        break;
      case "ended":
        underWay.delete(line.job);
        results.set(line.job, line.result);
        break;
      case "finished":
        finished = true;
    }
  }
  return { results, underWay, starts, postponed, owner, activeMs, finished };
}

function linesOf(path: string): readonly JournalLine[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    try {
      const parsed = lineSchema.safeParse(JSON.parse(line));
      return parsed.success ? [parsed.data] : [];
    } catch {
      return [];
    }
  });
}
