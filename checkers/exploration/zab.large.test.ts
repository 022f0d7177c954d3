import { expect, it } from "vitest";
import { zabModel } from "../../model/index.ts";
import { explore } from "./explore.ts";
import { completeParameters } from "./parameters.ts";

const rows = [
  { parameters: { timeouts: 1, restarts: 0 }, symmetry: false, counts: [3_659_611, 1_507_798, 43] },
  { parameters: { timeouts: 1, restarts: 0 }, symmetry: true, counts: [610_035, 251_332, 43] },
  {
    parameters: { timeouts: 2, restarts: 0, epochs: 4 },
    symmetry: true,
    counts: [26_126_204, 10_984_272, 54],
  },
  {
    parameters: { timeouts: 0, restarts: 1, separateBudgets: true },
    symmetry: true,
    counts: [1_902_139, 848_734, 50],
  },
] as const;

it.each(rows)(
  "counts Zab as TLC does: $parameters, symmetry $symmetry",
  async ({ parameters, symmetry, counts }) => {
    const result = await explore(zabModel, { parameters, symmetry });
    expect([result.generated, result.distinct, result.depth]).toEqual(counts);
    expect(result.verdicts.filter(({ verdict }) => verdict !== "holds")).toEqual([]);
    expect(result.witnesses.filter(({ seen }) => !seen)).toEqual([]);
  },
);

it("never offers a follower a stale epoch within one timeout: the guard against it changes nothing", async () => {
  const guarded = await explore(zabModel);
  const unguarded = await explore(zabModel, {
    variant: "stale-epoch",
    parameters: { transactions: 2, timeouts: 1 },
  });
  expect([unguarded.generated, unguarded.distinct]).toEqual([guarded.generated, guarded.distinct]);
  expect(unguarded.witnesses.find(({ name }) => name === "StaleEpochOffered")?.seen).toBe(false);
});

it("needs the guard against stale epochs for no published invariant where two timeouts offer one", async () => {
  const parameters = completeParameters(zabModel, { transactions: 1, timeouts: 2 });
  const model = { ...zabModel.build(parameters, "stale-epoch"), stepProperties: [], recoverable: [] };
  const { verdicts, generated, distinct, witnesses } = await explore(model, { symmetry: true });
  expect([generated, distinct]).toEqual([1_238_740, 631_581]);
  expect(verdicts.filter(({ verdict }) => verdict !== "holds")).toEqual([]);
  expect(witnesses.find(({ name }) => name === "StaleEpochOffered")?.seen).toBe(true);
});
