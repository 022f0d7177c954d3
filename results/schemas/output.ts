import { z } from "zod";
import { nightlyOutput } from "../nightly/summary.ts";
import { runEvidenceSchema } from "../store/run-evidence.ts";
import { outcomeSchema, verdictSchema } from "./verdict.ts";

/** The objects that `--json` prints: one a command, stable; fields may be added, never changed. */

const common = { verdict: outcomeSchema, checks: z.array(verdictSchema) };

/** `zabcheck check --json` and `zabcheck check-logs --json`. */
export const checkOutput: z.ZodType = z.object({
  ...common,
  file: z.string().optional(),
  format: z.string().optional(),
  operations: z.int().nonnegative().optional(),
  files: z
    .array(
      z.looseObject({
        file: z.string(),
        verdict: outcomeSchema,
        seconds: z.number().nonnegative().describe("until the verdict was known, reading aside"),
        checks: z.array(verdictSchema),
      }),
    )
    .optional(),
});

const runFields = {
  ...common,
  operations: z.int().nonnegative(),
  history: z.string().describe("path of history.jsonl"),
  directory: z.string(),
  seed: z.int(),
  evidence: runEvidenceSchema.optional().describe("what the run has exercised"),
};

/** `zabcheck run --json`. */
export const runOutput: z.ZodType = z.object(runFields);

/** `zabcheck replay --json`: of a run, or of a counterexample. */
export const replayOutput: z.ZodType = z.union([
  z.object({
    ...runFields,
    replay: z.object({
      of: z.string().describe("the directory of the run that was repeated"),
      sameHistory: z.boolean().nullable().describe("null of real servers"),
      commonEvents: z.int().nonnegative().nullable(),
      changed: z.array(z.string()).describe("verdicts that came out otherwise"),
      detail: z.string(),
    }),
  }),
  z.object({ ...common, steps: z.array(z.looseObject({ action: z.string(), parameters: z.json() })) }),
]);

const runSize = z.object({
  faults: z.int().nonnegative(),
  heldMs: z.int().nonnegative(),
  durationMs: z.int().positive(),
  clients: z.int().positive(),
});

/** `zabcheck shrink --json`: the checks are those of the smallest run that failed. */
export const shrinkOutput: z.ZodType = z.object({
  ...common,
  shrink: z.object({
    of: z.string().describe("the directory of the run that was shrunk"),
    property: z.string().describe("the verdict that is violated in both"),
    runs: z.int().nonnegative(),
    ending: z.enum(["nothing smaller fails", "the time is up", "ended early", "it did not fail again"]),
    before: runSize,
    after: runSize.nullable(),
    directory: z.string().nullable(),
    history: z.string().nullable(),
  }),
});

/** `zabcheck explore --json`. */
export const exploreOutput: z.ZodType = z.object({
  ...common,
  generated: z.int().nonnegative(),
  distinct: z.int().nonnegative(),
  depth: z.int().nonnegative(),
  seconds: z.number().nonnegative(),
  counterexample: z
    .object({
      property: z.string(),
      length: z.int().positive().describe("number of states"),
      steps: z.array(z.looseObject({ action: z.string(), parameters: z.json() })),
      words: z
        .array(z.string().nullable())
        .optional()
        .describe("the steps in the words of the model's users, where it has any"),
    })
    .nullable(),
  measures: z
    .array(
      z.object({ name: z.string(), most: z.int(), greatest: z.int().describe("of all states explored") }),
    )
    .optional(),
  histories: z
    .array(
      z.looseObject({
        property: z.string(),
        kind: z.enum(["violation", "anomaly"]),
        as: z.string().describe("what zabcheck check --as judges it by"),
        length: z.int().positive().describe("number of states on the way there"),
        events: z.array(z.looseObject({ process: z.json(), type: z.string(), f: z.string() })),
      }),
    )
    .optional(),
});

/** `zabcheck faults --json`. */
export const faultsOutput: z.ZodType = z.object({
  cluster: z.string(),
  faults: z.array(
    z.looseObject({
      name: z.string(),
      summary: z.string(),
      supported: z.boolean(),
      how: z.string().optional().describe("by what means, where it is supported"),
      reason: z.string().optional().describe("why not, where it is not"),
    }),
  ),
});

/** `zabcheck models --json`. */
export const modelsOutput: z.ZodType = z.object({
  models: z.array(
    z.looseObject({
      name: z.string(),
      parameters: z.json(),
      variants: z.array(
        z.looseObject({
          name: z.string(),
          holds: z.boolean(),
          property: z.string().nullish(),
          source: z.string(),
        }),
      ),
    }),
  ),
});

/** `zabcheck demo --json`: the runs and explorations that it made. */
export const demoOutput: z.ZodType = z.object({
  ...common,
  parts: z.array(z.object({ name: z.string(), verdict: outcomeSchema, directory: z.string().optional() })),
  seconds: z.number().nonnegative(),
});

export const outputs: { readonly [command: string]: z.ZodType } = {
  check: checkOutput,
  "check-logs": checkOutput,
  run: runOutput,
  replay: replayOutput,
  shrink: shrinkOutput,
  nightly: nightlyOutput,
  explore: exploreOutput,
  models: modelsOutput,
  faults: faultsOutput,
  demo: demoOutput,
};
