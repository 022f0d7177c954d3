import { z } from "zod";

/** How learners were brought to their leaders' histories: what they lacked, less than they had, or everything. */
export type SynchronizationCounts = { readonly [kind in "DIFF" | "TRUNC" | "SNAP"]: number };

/**
 * What a run has exercised: verdicts on a run in which nothing happened are no evidence of anything.
 *
 * What only servers' logs tell is null where they are missing or of a form that is not known.
 */
export interface RunEvidence {
  /** Leaders that a quorum followed, the first one included. */
  readonly elections: number | null;
  /** Of them, those that lost their quorum while their process lived. */
  readonly deposedLeaders: number | null;
  readonly synchronizations: SynchronizationCounts | null;
  /** Connections that clients lost, other than by their own will. */
  readonly disconnections: number;
  /** Sessions that went on at another server. */
  readonly movedSessions: number;
  readonly expiredSessions: number;
  /** Operations of which nobody knows whether they happened. */
  readonly unanswered: number;
  /** Plain reads that missed an acknowledged write, as ZooKeeper allows; null where no checker of the run counts them. */
  readonly staleReads: number | null;
  /** The same after a sync (ZOOKEEPER-1675). */
  readonly staleSyncedReads: number | null;
  /** One for each fault of the schedule, in its order. */
  readonly faults: readonly FaultEvidence[];
  /** Defects known by number that the servers' logs show, a sentence each. */
  readonly knownDefects?: readonly string[];
}

/** `skipped`: there was nothing to aim at. `not reached`: the run had ended. */
export type FaultOutcome = "applied" | "failed" | "skipped" | "not reached";

/** What happened while a fault was in force, and in the quiet time after it. That it happened because of it nobody knows. */
export interface FaultEvidence {
  /** Position in the schedule. */
  readonly id: number;
  readonly family: string;
  /** "partition leader-alone", "kill majority". */
  readonly label: string;
  readonly outcome: FaultOutcome;
  /** Operations without an answer at the moment at which it was applied. */
  readonly operationsInFlight: number;
  /** One-shot watches that were set then and had not fired. */
  readonly watchesPending: number;
  /** Counts by name, none of them 0. A fault that was applied and has none had no effect that anybody saw. */
  readonly effects: { readonly [name in EffectName]?: number };
}

export const effectNames = [
  "elections",
  "deposed leaders",
  "restarts",
  "synchronizations",
  "disconnections",
  "unanswered",
  "slow answers",
] as const;

export type EffectName = (typeof effectNames)[number];

const count = z.int().nonnegative();

export const runEvidenceSchema: z.ZodType<RunEvidence> = z.object({
  elections: count.nullable().describe("leaders that a quorum followed; null where no log tells"),
  deposedLeaders: count.nullable().describe("of them, those that lost their quorum alive"),
  synchronizations: z.object({ DIFF: count, TRUNC: count, SNAP: count }).nullable(),
  disconnections: count,
  movedSessions: count,
  expiredSessions: count,
  unanswered: count.describe("operations of which nobody knows whether they happened"),
  staleReads: count.nullable(),
  staleSyncedReads: count.nullable(),
  faults: z.array(
    z.object({
      id: count.describe("position in the schedule"),
      family: z.string(),
      label: z.string(),
      outcome: z.enum(["applied", "failed", "skipped", "not reached"]),
      operationsInFlight: count,
      watchesPending: count,
      effects: z
        .partialRecord(z.enum(effectNames), z.int().positive())
        .describe("what happened while it was in force; none: it had no effect"),
    }),
  ),
  knownDefects: z.array(z.string()).exactOptional().describe("that the servers' logs show"),
}) as z.ZodType<RunEvidence>;

/** The faults that were applied and had no effect that anybody saw. */
export function withoutEffect({ faults }: RunEvidence): readonly FaultEvidence[] {
  return faults.filter(({ outcome, effects }) => outcome === "applied" && Object.keys(effects).length === 0);
}

/** The faults that were to be applied and were not. */
export function notApplied({ faults }: RunEvidence): readonly FaultEvidence[] {
  return faults.filter(({ outcome }) => outcome !== "applied");
}
