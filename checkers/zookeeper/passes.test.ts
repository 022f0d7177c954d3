import fc from "fast-check";
import { expect, test } from "vitest";
import { showSteps } from "./passes.ts";
import type { Step } from "./history/steps.ts";

test("everybody is shown every step once, in order", () => {
  fc.assert(
    fc.property(fc.nat(2000), fc.nat(3), (count, viewers) => {
      const steps = Array.from({ length: count }, (_, at) => ({ invokedAt: at }) as Step);
      const seen = Array.from({ length: viewers }, (): Step[] => []);
      showSteps(
        steps,
        seen.map((list) => (step) => list.push(step)),
      );
      for (const list of seen) expect(list).toEqual(steps);
    }),
    { numRuns: 30 },
  );
});
