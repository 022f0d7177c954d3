import { describe, expect, it } from "vitest";
import { InputError, zabModel, type Parameters } from "../../model/index.ts";
import { exploreNaively } from "./naive.ts";
import { completeParameters } from "./parameters.ts";
import { explore } from "./explore.ts";

const slowMs = 120_000;

/** With a restart that needs only its own budget: the published table's rows. */
const separate = [
  {
    parameters: { servers: 2, transactions: 2, timeouts: 0, restarts: 2, epochs: 3 },
    counts: [25_959, 18_626, 38],
  },
  {
    parameters: { servers: 2, transactions: 2, timeouts: 1, restarts: 1, epochs: 10 },
    counts: [26_865, 19_572, 38],
  },
] as const;

it.each(separate)("counts Zab with separate budgets as published: $parameters", async (row) => {
  const parameters = { ...row.parameters, separateBudgets: true };
  const result = await explore(zabModel, { parameters, symmetry: true });
  expect([result.generated, result.distinct, result.depth]).toEqual(row.counts);
});

it("means the same to the engine and to its slow twin", async () => {
  const parameters = { servers: 2, transactions: 1, timeouts: 1, restarts: 1, epochs: 3 };
  const fast = await explore(zabModel, { parameters });
  const slow = exploreNaively(zabModel.build(completeParameters(zabModel, parameters)));
  expect([fast.generated, fast.distinct, fast.depth]).toEqual([slow.generated, slow.distinct, slow.depth]);
  for (const { name, generated } of fast.actions)
    expect([name, generated]).toEqual([name, slow.perAction.get(name) ?? 0]);
});

it("has the same states depth-first, whose steps meet new values in another order", async () => {
  for (const parameters of [
    { transactions: 1, timeouts: 0, restarts: 0, epochs: 2 },
    { transactions: 0, timeouts: 1, restarts: 1, epochs: 1 },
  ]) {
    const broad = await explore(zabModel, { parameters });
    const deep = await explore(zabModel, { parameters, mode: "depth-first" });
    expect([deep.generated, deep.distinct]).toEqual([broad.generated, broad.distinct]);
    expect(deep.verdicts.map(({ verdict }) => verdict)).toEqual(broad.verdicts.map(({ verdict }) => verdict));
  }
});

/** States of the shortest counterexample; the first five are what TLC finds on the same change of Zab.tla. */
const lengths: { readonly [variant: string]: number } = {
  "weak-quorum": 9,
  "unadopted-history": 20,
  "reused-epoch": 13,
  "early-commit": 13,
  "stale-epoch": 19,
  "half-quorum": 13,
  "own-epoch": 14,
  "own-history": 22,
  "corrupted-proposal": 15,
  "corrupted-history": 23,
  "reversed-history": 26,
  "half-adopted-history": 23,
  "prepending-follower": 30,
  "uncommitted-initial-history": 20,
  "volatile-epoch": 6,
  "forgotten-commits": 15,
};

describe("a seeded defect", () => {
  it.each(Object.entries(lengths))(
    "%s is found in %i states",
    { timeout: slowMs },
    async (variant, states) => {
      const declared = zabModel.variants?.[variant];
      const { verdicts, counterexample } = await explore(zabModel, {
        ...withParameters(declared?.parameters),
        variant,
      });
      const violated = verdicts.filter(({ verdict }) => verdict === "violated");
      expect(violated.map(({ name }) => name)).toEqual([declared?.property]);
      expect(counterexample?.length).toBe(states);
    },
  );

  it(
    "that reads beyond a history is an error of the model, as it is for TLC",
    { timeout: slowMs },
    async () => {
      const exploration = explore(zabModel, { variant: "least-recent-history" });
      await expect(exploration).rejects.toThrow(InputError);
      await expect(exploration).rejects.toThrow(
        /PrefixConsistency.*position 1 is outside of a sequence of length 0/,
      );
    },
  );

  it("that leaves the leader's own acknowledgement out can't always be recovered from", async () => {
    const parameters = { transactions: 0 };
    const whole = await explore(zabModel, { parameters });
    const broken = await explore(zabModel, { parameters, variant: "uncounted-leader" });
    expect(verdictOf(whole.verdicts, "EstablishedLeader")).toBe("holds");
    expect(verdictOf(broken.verdicts, "EstablishedLeader")).toBe("violated");
  });
});

it("has for each of its properties a seeded defect that breaks it", () => {
  const model = zabModel.build(completeParameters(zabModel, {}));
  const properties = [
    ...(model.invariants ?? []),
    ...(model.stepProperties ?? []),
    ...(model.recoverable ?? []),
  ].map(({ name }) => name);
  const broken = new Set(Object.values(zabModel.variants ?? {}).map(({ property }) => property));
  // As published it can't fail: it is here to be reported as vacuous.
  expect(properties.filter((name) => !broken.has(name))).toEqual(["LocalPrimaryOrderAsPublished"]);
});

it("reports the published LocalPrimaryOrder as vacuous", async () => {
  const { verdicts } = await explore(zabModel, { parameters: { servers: 2, timeouts: 0 } });
  expect(verdicts.find(({ name }) => name === "LocalPrimaryOrderAsPublished")).toMatchObject({
    vacuous: true,
  });
  expect(verdicts.find(({ name }) => name === "PrefixConsistency")?.vacuous).not.toBe(true);
});

function withParameters(parameters: Parameters | undefined): { readonly parameters?: Parameters } {
  return parameters === undefined ? {} : { parameters };
}

function verdictOf(verdicts: readonly { name: string; verdict: string }[], name: string): string | undefined {
  return verdicts.find((each) => each.name === name)?.verdict;
}
