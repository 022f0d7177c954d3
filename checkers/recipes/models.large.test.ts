import { describe, expect, it } from "vitest";
import { greatest, isMeasuring } from "../../model/index.ts";
import { buildModel, explore } from "../exploration/index.ts";
import { recipes, sayings } from "./models.for-tests.ts";
import { exchangeIdentities } from "./models-symmetry.for-tests.ts";

const slowMs = 600_000;

const subjects = recipes.flatMap((definition) =>
  [undefined, ...Object.keys(definition.variants ?? {})].map((variant) => ({
    name: `${definition.name} ${variant ?? "recipe"}`,
    definition,
    variant,
  })),
);

describe("within its default bounds", () => {
  it.each(
    subjects.filter(({ definition, variant }) => definition.variants?.[variant ?? ""]?.holds !== false),
  )(
    "$name keeps its promises, each of them exercised",
    { timeout: slowMs },
    async ({ definition, variant }) => {
      const options = variant === undefined ? {} : { variant };
      const result = await explore(definition, { ...options, symmetry: true, recoverability: true });
      expect(result.ending).toBe("complete");
      expect(result.verdicts.filter(({ verdict, vacuous }) => verdict !== "holds" || vacuous)).toEqual([]);
      expect(result.notJudged).toEqual([]);
      const { measures = [] } = buildModel(definition, options);
      const unseen = result.witnesses.filter(({ name, seen }) => !seen && !isMeasuring(measures, name));
      expect(unseen.map(({ name }) => name)).toEqual([]);
      expect(measures.map((measure) => greatest(measure, result.witnesses))).toEqual(measures.map(() => 1));
    },
  );
});

describe("what is right but for its herd", () => {
  const herds = subjects.filter(
    ({ definition, variant }) => definition.variants?.[variant ?? ""]?.property === "NoHerd",
  );
  it.each(herds)(
    "$name is right under failures, too",
    { timeout: slowMs },
    async ({ definition, variant }) => {
      const parameters = { clients: 3, "sessions-expire": 1, "connection-losses": 1, "allow-herd": true };
      const bounds = "candidacies" in definition.parameters ? { ...parameters, candidacies: 1 } : parameters;
      const result = await explore(definition, {
        ...(variant === undefined ? {} : { variant }),
        parameters: bounds,
        symmetry: true,
        recoverability: true,
      });
      expect(result.ending).toBe("complete");
      expect(result.verdicts.filter(({ verdict }) => verdict !== "holds")).toEqual([]);
      expect(result.notJudged).toEqual([]);
    },
  );
});

describe("symmetry", () => {
  it.each(subjects.filter(({ definition }) => definition.name !== "double-barrier"))(
    "of $name does not tell clients apart",
    ({ definition, variant }) => {
      const parameters = { clients: 3, "sessions-expire": 2, "connection-losses": 2 };
      const model = buildModel(definition, { parameters, ...(variant === undefined ? {} : { variant }) });
      expect(exchangeIdentities(model)).toBeGreaterThan(20);
    },
  );

  it.each(subjects)(
    "says of $name what all states say",
    { timeout: slowMs },
    async ({ definition, variant }) => {
      const bounds = { clients: 3, "sessions-expire": 1, "connection-losses": 1 };
      const once = Object.keys(definition.parameters).filter((name) =>
        ["candidacies", "joins", "ids"].includes(name),
      );
      const parameters = { ...bounds, ...Object.fromEntries(once.map((name) => [name, 1])) };
      const said = await sayings(definition, variant, parameters, true);
      expect(said).toEqual(await sayings(definition, variant, parameters, false));
    },
  );
});

describe("the service's reductions", () => {
  it.each(subjects)(
    "say of $name what the plain service says",
    { timeout: slowMs },
    async ({ definition, variant }) => {
      for (const [expiries, losses] of [
        [1, 0],
        [0, 1],
        [1, 1],
      ] as const) {
        const bounds = { clients: 2, "sessions-expire": expiries, "connection-losses": losses };
        const said = await sayings(definition, variant, bounds);
        expect(said).toEqual(await sayings(definition, variant, { ...bounds, plain: true }));
      }
    },
  );
});
