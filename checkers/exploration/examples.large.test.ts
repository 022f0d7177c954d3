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

it("finds in 17 states that a Raft whose voters ignore logs loses an acknowledged value", async () => {
  const { verdicts, counterexample } = await explore(raft, {
    parameters: { elections: 2 },
    variant: "ignores-logs",
  });
  expect(verdicts.find(({ verdict }) => verdict === "violated")?.name).toBe("LeaderHasAllAckedValues");
  expect(counterexample?.length).toBe(17);
});
