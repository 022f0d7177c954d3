import { z } from "zod";
import type { Outcome, Verdict } from "../../checkers/index.ts";
import type { Event } from "../../model/index.ts";

/** Verdicts as they stand in `--json`, in manifests and in reports. */

export const outcomeSchema: z.ZodType<Outcome> = z.enum(["holds", "violated", "unknown"]);

/** Only what reports need is described; evidence may stand beside it. */
export const eventSchema: z.ZodType<Event> = z.looseObject({
  index: z.int().nonnegative(),
  time: z.int().nonnegative().describe("nanoseconds since the run's start"),
  process: z.union([z.int(), z.string()]),
  type: z.enum(["invoke", "ok", "fail", "info"]),
  f: z.string(),
  value: z.json(),
}) as z.ZodType<Event>;

export const verdictSchema: z.ZodType<Verdict> = z.object({
  name: z.string(),
  verdict: outcomeSchema,
  detail: z.string(),
  vacuous: z.boolean().exactOptional().describe("nothing in the input exercised the property"),
  violation: z
    .object({ summary: z.string(), events: z.array(eventSchema), earliest: eventSchema.exactOptional() })
    .exactOptional()
    .describe("present when and only when the verdict is violated"),
  counts: z.record(z.string(), z.number()).exactOptional(),
  evidence: z.json().exactOptional(),
});
