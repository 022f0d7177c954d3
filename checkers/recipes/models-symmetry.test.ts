import { expect, it } from "vitest";
import { mention, replicatedService, type ModelDefinition } from "../../model/index.ts";
import { buildModel } from "../exploration/index.ts";
import { recipes } from "./models.for-tests.ts";
import { exchangeIdentities } from "./models-symmetry.for-tests.ts";

const symmetric: readonly ModelDefinition[] = [
  ...recipes.filter(({ name }) => name !== "double-barrier"),
  replicatedService,
];

it.each(symmetric.map((definition) => ({ name: definition.name, definition })))(
  "$name does not tell its clients apart",
  ({ name, definition }) => {
    const failures = { clients: 3, "sessions-expire": 2, "connection-losses": 2 };
    const parameters = name === replicatedService.name ? { operations: 6, moves: 2 } : failures;
    expect(exchangeIdentities(buildModel(definition, { parameters }))).toBeGreaterThan(40);
  },
);

it("would be found out if it did", () => {
  const [definition] = symmetric as readonly [ModelDefinition];
  const model = buildModel(definition, { parameters: { clients: 3 } });
  const [first] = model.identities[0]?.members ?? [];
  const partial = {
    ...model,
    actions: model.actions.map((action) => ({
      ...action,
      effect: ((now, next, ...parameters) => {
        const done = action.effect(now, next, ...parameters);
        const { tree } = next as { tree: { nodes: { owner: string }[] } };
        // The first client's znodes come first in every list.
        const isFirst = ({ owner }: { owner: string }): boolean =>
          first !== undefined && owner.startsWith(mention(first));
        Object.assign(next as object, {
          tree: { ...tree, nodes: tree.nodes.toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a))) },
        });
        return done;
      }) as typeof action.effect,
    })),
  };
  expect(() => exchangeIdentities(partial)).toThrow("tells them apart");
});
