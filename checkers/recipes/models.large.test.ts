import { describe, expect, it } from "vitest";
import { greatest, isMeasuring } from "../../model/index.ts";
import { buildModel, explore } from "../exploration/index.ts";
import { recipes, sayings } from "./models.for-tests.ts";

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
