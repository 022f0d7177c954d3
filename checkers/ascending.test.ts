import fc from "fast-check";
import { expect, test } from "vitest";
import { firstAtLeast, firstThat } from "./ascending.ts";

test("positions are those that going through all of them finds", () => {
  const numbers = fc.array(fc.integer({ min: 0, max: 20 })).map((list) => list.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(numbers, fc.oneof(fc.integer({ min: -1, max: 21 }), fc.constant(Infinity)), (list, value) => {
      const found = list.findIndex((each) => each >= value);
      const expected = found === -1 ? list.length : found;
      expect(firstAtLeast(list, value)).toBe(expected);
      expect(firstThat(list.length, (at) => (list[at] as number) >= value)).toBe(expected);
    }),
  );
});
