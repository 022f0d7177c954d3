import { describe, expect, it } from "vitest";
import {
  configurationModel,
  doubleBarrierModel,
  leaderElectionModel,
  lockModel,
  membershipModel,
  queueModel,
  readWriteLockModel,
  uniqueIdsModel,
  type ModelDefinition,
  type Parameters,
} from "../../model/index.ts";
import { explore } from "./explore.ts";

const slowMs = 120_000;

/** Every mistake, and the states of its shortest counterexample within the variant's own bounds. */
const mistakes: readonly (readonly [ModelDefinition, string, number])[] = [
  [leaderElectionModel, "no-protection", 3],
  [leaderElectionModel, "watch-leader", 15],
  [leaderElectionModel, "watch-parent", 10],
  [leaderElectionModel, "single-node", 11],
  [leaderElectionModel, "lead-when-notified", 15],
  [leaderElectionModel, "lost-wake-up", 8],
  [leaderElectionModel, "no-fencing", 12],
  [leaderElectionModel, "guid-of-closing-session", 12],
  [leaderElectionModel, "keeps-leadership", 11],
  [leaderElectionModel, "takes-leadership-back", 12],
  [leaderElectionModel, "lock-in-memory", 3],
  [leaderElectionModel, "lock-without-expiry", 3],
  [lockModel, "fixed-path", 10],
  [lockModel, "fixed-path-never-held", 10],
  [lockModel, "watch-all", 14],
  [lockModel, "lost-wake-up", 10],
  [readWriteLockModel, "readers-watch-all", 14],
  [readWriteLockModel, "writers-ignore-readers", 7],
  [readWriteLockModel, "lost-wake-up", 10],
  [queueModel, "careless", 9],
  [queueModel, "last-first", 11],
  [queueModel, "exactly-once-by-deletion", 6],
  [queueModel, "exactly-once-by-processing", 8],
  [doubleBarrierModel, "leaves-early", 11],
  [doubleBarrierModel, "enters-early", 4],
  [doubleBarrierModel, "watches-nothing", 5],
  [configurationModel, "watch-after-read", 7],
  [configurationModel, "watch-lost-with-session", 8],
  [membershipModel, "watch-after-read", 7],
  [membershipModel, "persistent-members", 7],
  [uniqueIdsModel, "read-then-write", 7],
];

/** What is right, within bounds that take a second or two. */
const right: readonly (readonly [ModelDefinition, string | undefined, Parameters])[] = [
  [leaderElectionModel, undefined, { clients: 2, "sessions-expire": 1, "connection-losses": 1 }],
  [lockModel, undefined, { clients: 3, "sessions-expire": 1, "connection-losses": 0 }],
  [readWriteLockModel, undefined, { clients: 3, "sessions-expire": 0 }],
  [queueModel, undefined, { puts: 2 }],
  [queueModel, "at-least-once", { puts: 2 }],
  [queueModel, "multi", {}],
  [doubleBarrierModel, undefined, { clients: 2 }],
  [configurationModel, undefined, { clients: 2 }],
  [membershipModel, undefined, { clients: 2 }],
  [uniqueIdsModel, undefined, { clients: 2 }],
  [uniqueIdsModel, "counter-version", { clients: 2 }],
];

describe("a recipe", () => {
  it.each(
    right.map(([definition, variant, parameters]) => ({
      name: definition.name,
      definition,
      variant,
      parameters,
    })),
  )(
    "$name $variant keeps its promises, each of them exercised: $parameters",
    { timeout: slowMs },
    async ({ definition, variant, parameters }) => {
      const result = await explore(definition, { parameters, ...(variant === undefined ? {} : { variant }) });
      expect(result.ending).toBe("complete");
      expect(result.verdicts.filter(({ verdict }) => verdict !== "holds")).toEqual([]);
      expect(result.notJudged).toEqual([]);
      expect(result.witnesses.filter(({ seen }) => !seen).map(({ name }) => name)).toEqual([]);
    },
  );
});

describe("a mistake in a recipe", () => {
  it.each(
    mistakes.map(([definition, variant, states]) => ({ name: definition.name, definition, variant, states })),
  )(
    "$name $variant is found in $states states",
    { timeout: slowMs },
    async ({ definition, variant, states }) => {
      const { verdicts, counterexample } = await explore(definition, { variant });
      const violated = verdicts.filter(({ verdict }) => verdict === "violated");
      expect(violated.map(({ name }) => name)).toEqual([definition.variants?.[variant]?.property]);
      expect(counterexample?.length).toBe(states);
    },
  );

  it("is known for every property of every recipe", () => {
    for (const definition of new Set(mistakes.map(([each]) => each))) {
      const model = definition.build(
        Object.fromEntries(Object.entries(definition.parameters).map(([name, each]) => [name, each.default])),
      );
      const properties = [
        ...(model.invariants ?? []),
        ...(model.stepProperties ?? []),
        ...(model.recoverable ?? []),
      ];
      const broken = Object.values(definition.variants ?? {}).map(({ property }) => property);
      expect([
        definition.name,
        properties.map(({ name }) => name).filter((name) => !broken.includes(name)),
      ]).toEqual([definition.name, []]);
    }
  });
});
