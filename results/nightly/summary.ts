import { z } from "zod";
import type { Outcome, Verdict } from "../../checkers/index.ts";
import { outcomeSchema, verdictSchema } from "../schemas/verdict.ts";
import type { SynchronizationCounts } from "../store/run-evidence.ts";

/**
 * What a night came to: `summary.json`, and what every other form of it is made of. A night is one carrying out of a
 * plan; its jobs are the plan's runs and explorations.
 */
export interface NightSummary {
  readonly format: "zabcheck-night-summary";
  readonly formatVersion: 1;
  readonly zabcheck: string;
  /** The plan's name. */
  readonly plan: string;
  /** Of the night: what it draws its runs' seeds from. */
  readonly seed: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** "finished", or why it ended before all its jobs did; such a night goes on with the next call. */
  readonly ending: NightEnding;
  readonly verdict: Outcome;
  /** The worst first. */
  readonly failures: readonly FailureGroup[];
  /** Failures of the night before that were looked for again and are not among these. */
  readonly gone: readonly GoneFailure[];
  /** When the night before began; null where there is none to compare with. */
  readonly comparedWith: string | null;
  readonly jobs: readonly JobSummary[];
  readonly coverage: Coverage;
  /** The command that carries the plan out again with the same seeds. */
  readonly command: string;
}

export type NightEnding = "finished" | "out of time" | "ended early" | "the disk is full";

/**
 * How a job ended: `done` came to its verdicts; `hung` did not end within its limit and was ended; `out of memory` was
 * ended for what it used; `crashed` ended by itself without them; `could not start` failed before its first operation
 * as often as the plan allows; `refused` was called wrongly; `not run` had no turn.
 */
export const jobStatuses = [
  "done",
  "hung",
  "out of memory",
  "crashed",
  "ended early",
  "could not start",
  "refused",
  "not run",
] as const;

export type JobStatus = (typeof jobStatuses)[number];

export interface JobSummary {
  readonly id: string;
  readonly subject: JobSubject;
  readonly status: JobStatus;
  /** `unknown` for all that is not done, unless a violation was found all the same. */
  readonly verdict: Outcome;
  /** What there is to say besides the verdicts. */
  readonly detail: string;
  /** Below the night's directory; null where nothing was kept. */
  readonly directory: string | null;
  readonly command: string;
  /** Properties that do not hold. */
  readonly failed: readonly FailedProperty[];
  /** Properties that hold, and those that hold for want of cases. */
  readonly held: readonly string[];
  readonly vacuous: readonly string[];
  readonly operations: number;
  readonly seconds: number;
  readonly starts: number;
}

/** What a job is about. */
export interface JobSubject {
  readonly kind: "run" | "exploration";
  /** The workload, or the model (with its variant). */
  readonly name: string;
  /** "embedded", "zookeeper 3.9.5", "model". */
  readonly where: string;
  /** As the plan names them; "" of explorations. */
  readonly faults: string;
  readonly seed: number | null;
}

export interface FailedProperty {
  readonly name: string;
  readonly verdict: Exclude<Outcome, "holds">;
  /** One sentence: what cannot be explained, or what was left undone. */
  readonly summary: string;
}

/** Failures that are the same by what was violated and where. */
export interface FailureGroup {
  /** Names the group over nights. */
  readonly key: string;
  readonly property: string;
  readonly where: string;
  readonly verdict: Exclude<Outcome, "holds">;
  /** Of the first of its jobs. */
  readonly summary: string;
  /** When the first of the consecutive nights began that saw it; this night's own beginning for a new one. */
  readonly since: string;
  readonly isNew: boolean;
  readonly jobs: readonly FailedJob[];
}

export interface FailedJob {
  readonly id: string;
  readonly faults: string;
  readonly seed: number | null;
  readonly directory: string | null;
  readonly command: string;
}

export interface GoneFailure {
  readonly key: string;
  readonly property: string;
  readonly where: string;
  readonly since: string;
}

/** What the night exercised. */
export interface Coverage {
  readonly cells: readonly CoverageCell[];
  readonly figures: readonly CoverageFigures[];
  /** What no night of this plan has exercised yet, in words. */
  readonly never: readonly string[];
  /** Workloads and faults that there are and that the plan does not ask for. */
  readonly unplanned: readonly string[];
}

/** One workload with one fault. */
export interface CoverageCell {
  readonly workload: string;
  readonly fault: string;
  readonly runs: number;
  readonly applied: number;
  /** Of those applied, how many had an effect that somebody saw. */
  readonly effective: number;
}

/** One workload on one kind of server. */
export interface CoverageFigures {
  readonly workload: string;
  readonly where: string;
  readonly runs: number;
  readonly operations: number;
  readonly elections: number;
  readonly deposedLeaders: number;
  readonly synchronizations: SynchronizationCounts;
  readonly disconnections: number;
  readonly movedSessions: number;
  readonly expiredSessions: number;
  readonly unanswered: number;
  readonly staleReads: number;
  /** The most at any fault. */
  readonly operationsInFlight: number;
  readonly watchesPending: number;
  /** Properties that some run of these exercised, and those that none did. */
  readonly exercised: readonly string[];
  readonly vacuous: readonly string[];
}

const count = z.int().nonnegative();
const failedOutcome = z.enum(["violated", "unknown"]);

const failedJobSchema = z.object({
  id: z.string(),
  faults: z.string(),
  seed: z.int().nullable(),
  directory: z.string().nullable().describe("below the night's directory"),
  command: z.string().describe("shows it again"),
});

export const nightSummarySchema: z.ZodType<NightSummary> = z.object({
  format: z.literal("zabcheck-night-summary"),
  formatVersion: z.literal(1),
  zabcheck: z.string(),
  plan: z.string(),
  seed: z.int().nonnegative(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  ending: z.enum(["finished", "out of time", "ended early", "the disk is full"]),
  verdict: outcomeSchema,
  failures: z.array(
    z.object({
      key: z.string().describe("the same in every night"),
      property: z.string(),
      where: z.string(),
      verdict: failedOutcome,
      summary: z.string(),
      since: z.iso.datetime().describe("beginning of the first of the consecutive nights that saw it"),
      isNew: z.boolean(),
      jobs: z.array(failedJobSchema),
    }),
  ),
  gone: z.array(
    z.object({ key: z.string(), property: z.string(), where: z.string(), since: z.iso.datetime() }),
  ),
  comparedWith: z.iso.datetime().nullable().describe("beginning of the night before"),
  jobs: z.array(
    z.object({
      id: z.string(),
      subject: z.object({
        kind: z.enum(["run", "exploration"]),
        name: z.string(),
        where: z.string(),
        faults: z.string(),
        seed: z.int().nullable(),
      }),
      status: z.enum(jobStatuses),
      verdict: outcomeSchema,
      detail: z.string(),
      directory: z.string().nullable(),
      command: z.string(),
      failed: z.array(z.object({ name: z.string(), verdict: failedOutcome, summary: z.string() })),
      held: z.array(z.string()),
      vacuous: z.array(z.string()).describe("properties that nothing exercised"),
      operations: count,
      seconds: z.number().nonnegative(),
      starts: count,
    }),
  ),
  coverage: z.object({
    cells: z.array(
      z.object({ workload: z.string(), fault: z.string(), runs: count, applied: count, effective: count }),
    ),
    figures: z.array(
      z.object({
        workload: z.string(),
        where: z.string(),
        runs: count,
        operations: count,
        elections: count,
        deposedLeaders: count,
        synchronizations: z.object({ DIFF: count, TRUNC: count, SNAP: count }),
        disconnections: count,
        movedSessions: count,
        expiredSessions: count,
        unanswered: count,
        staleReads: count,
        operationsInFlight: count.describe("the most at any fault"),
        watchesPending: count,
        exercised: z.array(z.string()).describe("properties that some run exercised"),
        vacuous: z.array(z.string()),
      }),
    ),
    never: z.array(z.string()).describe("what no night of this plan has exercised yet"),
    unplanned: z.array(z.string()),
  }),
  command: z.string(),
}) as z.ZodType<NightSummary>;

/** `zabcheck nightly --json`: the summary with the verdicts of every job that failed, and where the night is kept. */
export const nightlyOutput: z.ZodType = z.object({
  verdict: outcomeSchema,
  checks: z.array(verdictSchema),
  directory: z.string(),
  summary: nightSummarySchema,
});

/** The failures of a night as verdicts, for `--json`. */
export function verdictsOf({ failures }: NightSummary): readonly Verdict[] {
  return failures.map(({ property, where, verdict, summary }) => ({
    name: property,
    verdict,
    detail: `${where}: ${summary}`,
    ...(verdict === "violated" ? { violation: { summary, events: [] } } : {}),
  }));
}
