import fc from "fast-check";
import { expect, test } from "vitest";
import { checkZookeeper } from "./check.ts";
import { simulatedHistory } from "./simulated-history.ts";

/** Losses and ends of sessions as dense as they hardly ever come, so that much has to be worked in that nobody saw. */
test("an ensemble that keeps its promises is never blamed, on 20,000 histories", { timeout: 600_000 }, () => {
  const releases = fc.constantFrom(["3.9.5"], ["3.8.6"], ["3.8.6", "3.9.5", "3.9.5"]);
  const seed = fc.integer({ min: 1 });
  fc.assert(
    fc.property(
      seed,
      releases,
      fc.integer({ min: 50, max: 800 }),
      fc.boolean(),
      (of, releases, steps, lastingWatches) => {
        const options = { seed: of, steps, releases, lastingWatches, losses: 40, expiries: 10 };
        const verdicts = checkZookeeper(simulatedHistory(options));
        const blamed = verdicts.filter(({ verdict }) => verdict !== "holds");
        expect(blamed.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([]);
      },
    ),
    { numRuns: 20_000 },
  );
});
