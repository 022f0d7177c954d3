import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json, SequentialSpecification } from "../../model/light.ts";
import { linearizable } from "./linearizable.ts";
import { minimise } from "./minimise.ts";
import { operationsOf, type TimedOperation } from "./operations.ts";
import { Oracle, startingAt, upTo } from "./oracle.ts";
import { drawFrom, randomHistory, randomTypes } from "./random-histories.ts";
import { isLinearizableSlowly } from "./slow-twin.ts";
import { specifications } from "./twin-comparison.ts";

/** The operations of `kept` as they are; every other one may have happened at any time after its call, or never. */
function onlyKept(
  operations: readonly TimedOperation[],
  kept: ReadonlySet<number>,
  specification: SequentialSpecification<Json>,
): TimedOperation[] {
  return operations.flatMap((operation, at) => {
    if (kept.has(at)) return [operation];
    return specification.readOnly?.(operation) === true
      ? []
      : [{ ...operation, return: Infinity, result: undefined }];
  });
}

test("what a violation is reduced to fails, and without any one operation it does not", () => {
  let [violated, several, concurrent] = [0, 0, 0];
  const types = Object.keys(specifications);
  const algorithms = fc.constantFrom("auto", "search");
  fc.assert(
    fc.property(fc.integer({ min: 1 }), fc.constantFrom(...types), algorithms, (seed, type, algorithm) => {
      const draw = drawFrom(seed);
      const shape = { processes: 1 + draw(4), operations: 2 + draw(6), unanswered: draw(2) * 15, failed: 0 };
      const events = randomHistory(randomTypes[type] as (typeof randomTypes)[string], shape, draw);
      const specification = specifications[type] as SequentialSpecification<Json>;
      const { objects, violation } = linearizable(events, specification, { algorithm });
      const { key, explanation } = objects.find((object) => object.verdict === "violated") ?? {};
      if (explanation === undefined) return;
      expect(explanation.isEarliest).toBe(true);
      expect(explanation.confirmed).toBe("impossible");
      expect(linearizable(violation?.events ?? [], specification).verdict).toBe("violated");

      const all = operationsOf(events).filter(
        (operation) => key === undefined || specification.partition?.(operation) === key,
      );
      const operations = upTo(all, explanation.earliest.return);
      const earliest = operations.findIndex(
        ({ invocation }) => invocation === explanation.earliest.invocation,
      );
      const oracle = new Oracle(specification, performance.now() + 60_000);
      const { kept, from, cut, isMinimal } = minimise(operations, earliest, [], oracle);
      expect(isMinimal).toBe(true);
      const canHappen = (some: readonly number[]): boolean => {
        const part = onlyKept(operations, new Set(some), specification).filter(
          ({ invocation }) => (operations.find((each) => each.invocation === invocation)?.return ?? 0) > cut,
        );
        return (from as Json[]).some((state) => isLinearizableSlowly(part, startingAt(specification, state)));
      };
      expect(canHappen(kept)).toBe(false);
      for (const at of kept) expect(canHappen(kept.filter((other) => other !== at))).toBe(true);
      violated++;
      if (kept.length > 2) several++;
      if (kept.some((at) => at !== earliest && operations[at]?.return === Infinity)) concurrent++;
    }),
    { numRuns: 1500, seed: 3 },
  );
  expect(violated).toBeGreaterThan(200);
  expect(several).toBeGreaterThan(50);
  expect(concurrent).toBeGreaterThan(10);
});
