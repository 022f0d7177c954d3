import { expect, it } from "vitest";
import { dieHard, disabled, opaque, project, update, vocabulary, zabModel } from "../../model/index.ts";
import { explore } from "./explore.ts";

it("counts Die Hard as TLC does", async () => {
  const result = await explore(dieHard, { parameters: { goal: 99 } });
  expect(result).toMatchObject({
    generated: 97,
    distinct: 16,
    depth: 8,
    ending: "complete",
    counterexample: null,
  });
  expect(result.verdicts).toMatchObject([{ name: "NotSolved", verdict: "holds" }]);
});

it("solves Die Hard in seven states, each with what it changed", async () => {
  const { counterexample, verdicts } = await explore(dieHard, { parameters: { goal: 4 } });
  expect(counterexample?.length).toBe(7);
  expect(counterexample?.steps.at(-1)?.state).toMatchObject({ big: 4 });
  expect(counterexample?.steps[0]?.changes.length).toBe(1);
  expect(verdicts[0]?.verdict).toBe("violated");
});

it("tells updates and projections by one function apart by their further arguments", async () => {
  interface Sum {
    sum: number;
    steps: number;
  }
  const { action, invariant } = vocabulary<Sum>();
  const add = (sum: number, more: number): number => sum + more;
  const isAt = (sum: number, bound: number): boolean => sum >= bound;
  const model = opaque<Sum>({
    name: "sums",
    parameters: {},
    identities: [],
    initial: [{ sum: 0, steps: 0 }],
    actions: [
      action("Add", [[1], [10]], (now, next, more) => {
        if (now.steps === 2 || project(now, "sum", isAt, more)) return disabled;
        update(next, "sum", add, more);
        next.steps = now.steps + 1;
        return undefined;
      }),
    ],
    invariants: [invariant("Small", (now) => now.sum < 11)],
  });
  const { distinct, counterexample } = await explore(model);
  // 0, 1, 10, and 11 from 1 by 10: no step begins at a sum that is as large as what it adds.
  expect(distinct).toBe(4);
  expect(counterexample?.steps.map(({ parameters }) => parameters)).toEqual([[1], [10]]);
});

const rows = [
  {
    parameters: { servers: 2, transactions: 2, timeouts: 2, restarts: 0, epochs: 3 },
    symmetry: false,
    counts: [39_957, 30_993, 38],
  },
  {
    parameters: { servers: 2, transactions: 2, timeouts: 2, restarts: 0, epochs: 3 },
    symmetry: true,
    counts: [19_980, 15_497, 38],
  },
  {
    parameters: { servers: 2, transactions: 2, timeouts: 1, restarts: 1, epochs: 3 },
    symmetry: false,
    counts: [6_347, 4_715, 29],
  },
] as const;

it.each(rows)(
  "counts Zab as TLC does: $parameters, symmetry $symmetry",
  async ({ parameters, symmetry, counts }) => {
    const result = await explore(zabModel, { parameters, symmetry });
    expect([result.generated, result.distinct, result.depth]).toEqual(counts);
    expect(result.verdicts.every(({ verdict }) => verdict === "holds")).toBe(true);
  },
);

it("leaves the ghosts out of a view", async () => {
  const parameters = { servers: 2, transactions: 2, timeouts: 2, restarts: 0, epochs: 10 };
  const result = await explore(zabModel, { parameters, view: true });
  expect([result.generated, result.distinct, result.depth]).toEqual([33_521, 26_695, 38]);
});
