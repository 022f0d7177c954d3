import { describe, expect, it } from "vitest";
import {
  fencingLock,
  paxos,
  paxosCommit,
  raft,
  redlock,
  threePhaseCommit,
  twoPhaseCommit,
  type ModelDefinition,
  type Parameters,
} from "../../model/index.ts";
import { completeParameters } from "./parameters.ts";
import { explore } from "./explore.ts";

const slowMs = 120_000;

/** [generated, distinct, depth] as TLC counts them. */
type Row = readonly [
  ModelDefinition,
  Parameters,
  "symmetry" | "no symmetry",
  readonly [number, number, number],
];

const rows: readonly Row[] = [
  [twoPhaseCommit, { managers: 3 }, "no symmetry", [1_146, 288, 11]],
  [twoPhaseCommit, { managers: 3 }, "symmetry", [318, 80, 11]],
  [twoPhaseCommit, { managers: 5 }, "no symmetry", [58_146, 8_832, 17]],
  [twoPhaseCommit, { managers: 5 }, "symmetry", [2_048, 314, 17]],
  [paxos, { acceptors: 2 }, "no symmetry", [611, 145, 13]],
  [paxos, { acceptors: 2 }, "symmetry", [239, 56, 13]],
  [paxos, { acceptors: 3 }, "no symmetry", [23_563, 3_921, 17]],
  [paxos, { acceptors: 3 }, "symmetry", [2_697, 443, 17]],
  [paxosCommit, { ballots: 1 }, "no symmetry", [4_413, 545, 12]],
  [paxosCommit, { ballots: 1 }, "symmetry", [852, 101, 12]],
  [threePhaseCommit, {}, "no symmetry", [408, 185, 23]],
  [raft, { servers: 2, elections: 2 }, "no symmetry", [3_277, 2_224, 28]],
  [fencingLock, {}, "no symmetry", [4_648, 1_867, 16]],
  [fencingLock, {}, "symmetry", [799, 321, 16]],
];

it.each(rows.map((row) => [row[0].name, ...row] as const))(
  "counts %s as TLC does",
  { timeout: slowMs },
  async (_, definition, parameters, symmetry, counts) => {
    const result = await explore(definition, { parameters, symmetry: symmetry === "symmetry" });
    expect([result.generated, result.distinct, result.depth]).toEqual(counts);
    expect(result.verdicts.filter(({ verdict }) => verdict !== "holds")).toEqual([]);
    expect(result.witnesses.filter(({ seen }) => !seen)).toEqual([]);
  },
);

it("counts redlock without its invariant as TLC does", { timeout: slowMs }, async () => {
  const model = redlock.build(completeParameters(redlock, { ttl: 1, maxTime: 1 }));
  const { generated, distinct, depth } = await explore({ ...model, invariants: [] });
  expect([generated, distinct, depth]).toEqual([72_384, 22_855, 23]);
});

const lengths: readonly (readonly [ModelDefinition, string, number])[] = [
  [twoPhaseCommit, "unprepared-commit", 4],
  [threePhaseCommit, "partitions", 15],
  [paxos, "ignored-votes", 13],
  [paxos, "broken-promise", 13],
  [raft, "votes-twice", 9],
  [fencingLock, "no-fencing", 9],
  [fencingLock, "concurrent-storage", 8],
];

describe("a seeded defect", () => {
  it.each(lengths.map((row) => [row[0].name, row[1], row[2], row[0]] as const))(
    "of %s, %s, is found in %i states",
    { timeout: slowMs },
    async (_, variant, states, definition) => {
      const declared = definition.variants?.[variant];
      const { verdicts, counterexample } = await explore(definition, {
        ...(declared?.parameters === undefined ? {} : { parameters: declared.parameters }),
        variant,
      });
      const violated = verdicts.filter(({ verdict }) => verdict === "violated");
      expect(violated.map(({ name }) => name)).toEqual([declared?.property]);
      expect(counterexample?.length).toBe(states);
    },
  );
});

it("finds Kleppmann's objection to Redlock in 15 states", { timeout: slowMs }, async () => {
  const { verdicts, counterexample } = await explore(redlock);
  expect(verdicts).toMatchObject([{ name: "MutualExclusion", verdict: "violated" }]);
  expect(counterexample?.length).toBe(15);
});

it("shows that two-phase commit blocks when its manager crashes", async () => {
  const { verdicts } = await explore(twoPhaseCommit, { variant: "manager-crashes" });
  expect(verdicts.filter(({ verdict }) => verdict === "violated").map(({ name }) => name)).toEqual([
    "EveryManagerDecides",
  ]);
});

it("has for each property of each example a seeded defect that breaks it", () => {
  const examples = [twoPhaseCommit, threePhaseCommit, paxosCommit, paxos, raft, fencingLock];
  for (const definition of examples) {
    const model = definition.build(completeParameters(definition, {}));
    const safety = [...(model.invariants ?? []), ...(model.stepProperties ?? [])].map(({ name }) => name);
    const broken = new Set(Object.values(definition.variants ?? {}).map(({ property }) => property));
    expect([definition.name, safety.filter((name) => !broken.has(name))]).toEqual([definition.name, []]);
  }
});
