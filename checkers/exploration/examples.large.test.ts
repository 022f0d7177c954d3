import { expect, it } from "vitest";
import { paxosCommit, raft, twoPhaseCommit } from "../../model/index.ts";
import { explore } from "./explore.ts";

const rows = [
  {
    definition: twoPhaseCommit,
    parameters: { managers: 7 },
    symmetry: false,
    counts: [2_744_706, 296_448, 23],
  },
  { definition: twoPhaseCommit, parameters: { managers: 7 }, symmetry: true, counts: [8_410, 920, 23] },
  {
    definition: paxosCommit,
    parameters: { ballots: 2 },
    symmetry: false,
    counts: [16_959_159, 1_321_761, 28],
  },
  { definition: paxosCommit, parameters: { ballots: 2 }, symmetry: true, counts: [1_545_109, 119_992, 28] },
  { definition: raft, parameters: { elections: 1 }, symmetry: false, counts: [93_145, 37_345, 35] },
] as const;

it.each(rows)("counts $definition.name as TLC does: $parameters, symmetry $symmetry", async (row) => {
  const { definition, parameters, symmetry, counts } = row;
  const result = await explore(definition, { parameters, symmetry });
  expect([result.generated, result.distinct, result.depth]).toEqual(counts);
  expect(result.verdicts.filter(({ verdict }) => verdict !== "holds")).toEqual([]);
});

const defects = [
  { definition: paxosCommit, variant: "ignored-votes", states: 17 },
  { definition: raft, variant: "ignores-logs", states: 17 },
  { definition: raft, variant: "commits-alone", states: 15 },
] as const;

it.each(defects)("finds $variant of $definition.name in $states states", async (defect) => {
  const declared = defect.definition.variants?.[defect.variant];
  const { verdicts, counterexample } = await explore(defect.definition, {
    parameters: declared?.parameters ?? {},
    variant: defect.variant,
  });
  expect(verdicts.find(({ verdict }) => verdict === "violated")?.name).toBe(declared?.property);
  expect(counterexample?.length).toBe(defect.states);
});
