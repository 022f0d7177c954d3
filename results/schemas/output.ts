import { z } from "zod";

/** The objects that `--json` prints: one a command, stable; fields may be added, never changed. */

const outcome: z.ZodType<"holds" | "violated" | "unknown"> = z.enum(["holds", "violated", "unknown"]);

const event = z.looseObject({
  index: z.int().nonnegative(),
  time: z.int().nonnegative().describe("nanoseconds since the run's start"),
  process: z.union([z.int(), z.string()]),
  type: z.enum(["invoke", "ok", "fail", "info"]),
  f: z.string(),
  value: z.json(),
});

const check = z.object({
  name: z.string(),
  verdict: outcome,
  detail: z.string(),
  vacuous: z.boolean().optional().describe("nothing in the input exercised the property"),
  violation: z
    .object({ summary: z.string(), events: z.array(event), earliest: event.optional() })
    .optional()
    .describe("present when and only when the verdict is violated"),
  counts: z.record(z.string(), z.number()).optional(),
  evidence: z.json().optional(),
});

const common = { verdict: outcome, checks: z.array(check) };

/** `zabcheck check --json` and `zabcheck check-logs --json`. */
export const checkOutput: z.ZodType = z.object({
  ...common,
  file: z.string().optional(),
  format: z.string().optional(),
  operations: z.int().nonnegative().optional(),
});

/** `zabcheck run --json`. */
export const runOutput: z.ZodType = z.object({
  ...common,
  operations: z.int().nonnegative(),
  history: z.string().describe("path of history.jsonl"),
  directory: z.string(),
  seed: z.int(),
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
    })
    .nullable(),
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
  parts: z.array(z.object({ name: z.string(), verdict: outcome, directory: z.string().optional() })),
  seconds: z.number().nonnegative(),
});

export const outputs: { readonly [command: string]: z.ZodType } = {
  check: checkOutput,
  "check-logs": checkOutput,
  run: runOutput,
  explore: exploreOutput,
  models: modelsOutput,
  demo: demoOutput,
};
