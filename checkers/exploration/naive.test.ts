import { expect, it } from "vitest";
import { dieHard } from "../../model/index.ts";
import { exploreNaively } from "./naive.ts";

it("counts Die Hard as TLC does", () => {
  const model = dieHard.build({ big: 5, small: 3, goal: 99 });
  expect(exploreNaively(model)).toMatchObject({
    generated: 97,
    distinct: 16,
    depth: 8,
    violation: undefined,
  });
});

it("solves Die Hard in seven states", () => {
  const result = exploreNaively(dieHard.build({ big: 5, small: 3, goal: 4 }));
  expect(result.violation?.path.length).toBe(7);
});
