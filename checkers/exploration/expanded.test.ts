import { expect, it } from "vitest";
import { disabled, opaque, vocabulary, type Model } from "../../model/index.ts";
import { explore } from "./explore.ts";

interface State {
  level: number;
  last: string;
}

const { action, invariant, stepProperty: step } = vocabulary<State>();

/** Two ways from each level to the next, which differ in the last action alone. */
function ladder(changes: Partial<Model<State>> = {}): Model<unknown> {
  const rise = (name: string) =>
    action(name, [[]], (now, next) => {
      if (now.level === 3) return disabled;
      next.level = now.level + 1;
      next.last = name;
      return undefined;
    });
  return opaque<State>({
    name: "ladder",
    parameters: {},
    identities: [],
    initial: [{ level: 0, last: "" }],
    actions: [rise("Left"), rise("Right")],
    ...changes,
  });
}

it("makes the successors once of states that differ in what nobody reads", async () => {
  const { alike, generated, distinct, depth, actions } = await explore(ladder());
  expect({ alike, generated, distinct, depth }).toEqual({ alike: 3, generated: 11, distinct: 7, depth: 4 });
  expect(actions.map(({ generated }) => generated)).toEqual([5, 5]);
});

it("makes them of each where a property of steps reads it", async () => {
  const properties = [
    step("NeverRightThenLeft", (before, after) => !(before.last === "Right" && after.last === "Left")),
  ];
  const { alike, counterexample } = await explore(ladder({ stepProperties: properties }));
  expect(alike).toBe(0);
  expect(counterexample?.steps.map(({ action }) => action)).toEqual(["Right", "Left"]);
});

it("judges each of them all the same", async () => {
  const invariants = [invariant("NotRight", (now) => now.level < 3 || now.last !== "Right")];
  const { alike, counterexample } = await explore(ladder({ invariants }));
  expect(alike).toBe(2);
  expect(counterexample?.length).toBe(4);
});
