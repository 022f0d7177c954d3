import { z } from "zod";
import type { Outcome, Verdict } from "../../checkers/index.ts";
import type { Json } from "../../model/index.ts";
import { outcomeSchema, verdictSchema } from "../schemas/verdict.ts";
import { runEvidenceSchema, type RunEvidence } from "./run-evidence.ts";

/**
 * How far a run came: "running" and "checking" are those of a run that was cut off, "interrupted" was ended early
 * by its user and kept, "failed" is the cluster's failure.
 */
export type RunStatus = "running" | "checking" | "complete" | "interrupted" | "failed";

/** What a run is and how it ended: `manifest.json`, written before anything else and replaced whole at each step. */
export interface Manifest {
  readonly format: "zabcheck-run";
  readonly formatVersion: 1;
  /** zabcheck's own version. */
  readonly zabcheck: string;
  /** The name of the folder above: "register", "leader-election". */
  readonly scenario: string;
  readonly seed: number;
  readonly cluster: {
    readonly kind: string;
    readonly version: string;
    readonly servers: readonly string[];
    /** The defect that was seeded into an embedded ensemble. */
    readonly defect: string | null;
  };
  /** Everything that decides the run besides the seed; together they repeat it. */
  readonly parameters: { readonly [name: string]: Json };
  /** The fault schedule as it was drawn: plain data. */
  readonly schedule: readonly Json[];
  readonly host: {
    readonly platform: string;
    readonly release: string;
    readonly architecture: string;
    readonly processors: number;
    readonly memoryBytes: number;
    readonly node: string;
  };
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly status: RunStatus;
  readonly error: string | null;
  readonly operations: number;
  readonly outcome: Outcome | null;
  readonly verdicts: readonly Verdict[];
  /** What was exercised; absent until it has been judged, and of explorations. */
  readonly evidence?: RunEvidence;
}

export const manifestSchema: z.ZodType<Manifest> = z.object({
  format: z.literal("zabcheck-run"),
  formatVersion: z.literal(1),
  zabcheck: z.string(),
  scenario: z.string(),
  seed: z.int().nonnegative(),
  cluster: z.object({
    kind: z.string(),
    version: z.string(),
    servers: z.array(z.string()),
    defect: z.string().nullable(),
  }),
  parameters: z.record(z.string(), z.json()),
  schedule: z.array(z.json()),
  host: z.object({
    platform: z.string(),
    release: z.string(),
    architecture: z.string(),
    processors: z.int(),
    memoryBytes: z.int(),
    node: z.string(),
  }),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  status: z.enum(["running", "checking", "complete", "interrupted", "failed"]),
  error: z.string().nullable(),
  operations: z.int().nonnegative(),
  outcome: outcomeSchema.nullable(),
  verdicts: z.array(verdictSchema),
  evidence: runEvidenceSchema.exactOptional(),
});
