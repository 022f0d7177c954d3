import { expect, it } from "vitest";
import { dieHard, zabModel } from "../../model/index.ts";
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
