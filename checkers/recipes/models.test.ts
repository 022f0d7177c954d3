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
  greatest,
  isMeasuring,
  type ModelDefinition,
  type Parameters,
} from "../../model/index.ts";
import { buildModel, explore } from "../exploration/index.ts";
import { recipes, sayings } from "./models.for-tests.ts";

const slowMs = 120_000;

/** Every mistake, and the states of its shortest counterexample within the variant's own bounds. */
const mistakes: readonly (readonly [ModelDefinition, string, number])[] = [
  [leaderElectionModel, "no-protection", 3],
  [leaderElectionModel, "watch-leader", 15],
  [leaderElectionModel, "watch-parent", 10],
  [leaderElectionModel, "single-node", 12],
  [leaderElectionModel, "lead-when-notified", 14],
  [leaderElectionModel, "lost-wake-up", 8],
  [leaderElectionModel, "no-fencing", 10],
  [leaderElectionModel, "asks-before-it-writes", 12],
  [leaderElectionModel, "guid-of-closing-session", 10],
  [leaderElectionModel, "keeps-leadership", 11],
  [leaderElectionModel, "takes-leadership-back", 11],
  [leaderElectionModel, "lock-in-memory", 3],
  [leaderElectionModel, "lock-kept-by-the-dead", 5],
  [lockModel, "fixed-path", 10],
  [lockModel, "fixed-path-never-held", 10],
  [lockModel, "watch-all", 14],
  [lockModel, "lost-wake-up", 10],
  [readWriteLockModel, "readers-watch-all", 14],
  [readWriteLockModel, "writers-ignore-readers", 7],
  [readWriteLockModel, "lost-wake-up", 10],
  [queueModel, "careless", 11],
  [queueModel, "last-first", 13],
  [queueModel, "exactly-once-by-deletion", 8],
  [queueModel, "exactly-once-by-processing", 10],
  [doubleBarrierModel, "leaves-early", 11],
  [doubleBarrierModel, "enters-early", 4],
  [doubleBarrierModel, "watches-nothing", 5],
  [doubleBarrierModel, "joins-too-late", 17],
  [doubleBarrierModel, "works-on", 16],
  [configurationModel, "watch-after-read", 9],
  [configurationModel, "watch-lost-with-session", 9],
  [membershipModel, "watch-after-read", 6],
  [membershipModel, "persistent-members", 6],
  [uniqueIdsModel, "read-then-write", 7],
];

/** What is right, within bounds that take a second or two; the defaults: models.large.test.ts. */
const right: readonly (readonly [ModelDefinition, string | undefined, Parameters])[] = [
  [leaderElectionModel, undefined, { clients: 2, "sessions-expire": 2, "connection-losses": 1 }],
  [lockModel, undefined, {}],
  [readWriteLockModel, undefined, { "connection-losses": 0 }],
  [queueModel, undefined, {}],
  [queueModel, "at-least-once", {}],
  [queueModel, "multi", {}],
  [doubleBarrierModel, undefined, { clients: 2 }],
  [configurationModel, undefined, {}],
  [membershipModel, undefined, { joins: 1 }],
  [uniqueIdsModel, undefined, {}],
  [uniqueIdsModel, "counter-version", {}],
];

/** What is right and wakes many, and how many of three clients. */
const herds: readonly (readonly [ModelDefinition, string, number])[] = [
  [leaderElectionModel, "watch-leader", 2],
  [leaderElectionModel, "watch-parent", 3],
  [leaderElectionModel, "single-node", 2],
  [lockModel, "watch-all", 2],
  [readWriteLockModel, "readers-watch-all", 2],
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
      const result = await explore(definition, {
        parameters,
        ...(variant === undefined ? {} : { variant }),
        symmetry: true,
      });
      expect(result.ending).toBe("complete");
      expect(result.verdicts.filter(({ verdict, vacuous }) => verdict !== "holds" || vacuous)).toEqual([]);
      expect(result.notJudged).toEqual([]);
      const { measures = [] } = buildModel(definition, { parameters });
      const unseen = result.witnesses.filter(({ name, seen }) => !seen && !isMeasuring(measures, name));
      expect(unseen.map(({ name }) => name)).toEqual([]);
      expect(measures.map((measure) => greatest(measure, result.witnesses))).toEqual(measures.map(() => 1));
    },
  );

  it.each(
    herds.map(([definition, variant, woken]) => ({ name: definition.name, definition, variant, woken })),
  )(
    "$name $variant is right, and one departure wakes $woken of three clients",
    async ({ definition, variant, woken }) => {
      const parameters = { "allow-herd": true };
      const result = await explore(definition, { parameters, variant, symmetry: true });
      expect(result.ending).toBe("complete");
      expect(result.verdicts.filter(({ verdict }) => verdict !== "holds")).toEqual([]);
      expect(result.notJudged).toEqual([]);
      const { measures = [] } = buildModel(definition, { parameters, variant });
      expect(measures.map((measure) => greatest(measure, result.witnesses))).toEqual([woken]);
    },
  );
});

describe("the service's reductions", () => {
  it.each(recipes.map((definition) => ({ name: definition.name, definition })))(
    "say of $name what the plain service says",
    { timeout: slowMs },
    async ({ definition }) => {
      for (const [expiries, losses] of [
        [1, 0],
        [0, 1],
      ] as const) {
        const bounds = { clients: 2, "sessions-expire": expiries, "connection-losses": losses };
        const said = await sayings(definition, undefined, bounds);
        expect(said).toEqual(await sayings(definition, undefined, { ...bounds, plain: true }));
      }
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
      const { verdicts, counterexample } = await explore(definition, { variant, symmetry: true });
      const violated = verdicts.filter(({ verdict }) => verdict === "violated");
      expect(violated.map(({ name }) => name)).toEqual([definition.variants?.[variant]?.property]);
      expect(counterexample?.length).toBe(states);
    },
  );

  it("is known for every property of every recipe", () => {
    for (const definition of recipes) {
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
