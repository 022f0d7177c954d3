import fc from "fast-check";
import { expect, it } from "vitest";
import { disabled, opaque, vocabulary, type Model, type ParametersOf } from "../../model/index.ts";
import { explore } from "./explore.ts";
import { exploreNaively } from "./naive.ts";

interface State {
  level: number;
  last: string;
}

const { action, invariant, stepProperty: step } = vocabulary<State>();

/** Two ways from each level to the next, which differ in the last action alone. */
function ladder(
  changes: Partial<Model<State>> = {},
  lists: readonly (readonly [])[] | ParametersOf<State, readonly []> = [[]],
): Model<unknown> {
  const rise = (name: string) =>
    action(name, lists, (now, next) => {
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
  const { alike, generated, distinct, depth, actions } = await explore(ladder(), { alikeAfter: 0 });
  expect({ alike, generated, distinct, depth }).toEqual({ alike: 3, generated: 11, distinct: 7, depth: 4 });
  expect(actions.map(({ generated }) => generated)).toEqual([5, 5]);
});

it("makes them of each where a property of steps reads it", async () => {
  const properties = [
    step("NeverRightThenLeft", (before, after) => !(before.last === "Right" && after.last === "Left")),
  ];
  const { alike, counterexample } = await explore(ladder({ stepProperties: properties }), { alikeAfter: 0 });
  expect(alike).toBe(0);
  expect(counterexample?.steps.map(({ action }) => action)).toEqual(["Right", "Left"]);
});

it("makes them of each where a property of steps reads it by the name of the action", async () => {
  const properties = [
    step("NeverRightThenLeft", (before, _, taken) => !(before.last === "Right" && taken.action === "Left")),
  ];
  const model = ladder({ stepProperties: properties }, (now) => (now.level === 3 ? [] : [[]]));
  const { alike, counterexample } = await explore(model, { alikeAfter: 0 });
  expect(alike).toBe(0);
  expect(counterexample?.steps.map(({ action }) => action)).toEqual(["Right", "Left"]);
});

it("judges each of them all the same", async () => {
  const invariants = [invariant("NotRight", (now) => now.level < 3 || now.last !== "Right")];
  const { alike, counterexample } = await explore(ladder({ invariants }), { alikeAfter: 0 });
  expect(alike).toBe(2);
  expect(counterexample?.length).toBe(4);
});

it("counts for no state twice where that is found out in the middle of a level", async () => {
  interface Fan {
    value: number;
    last: string;
    isOver: boolean;
  }
  const fan = vocabulary<Fan>();
  const size = 3000;
  const values = Array.from({ length: size }, (_, value) => [value] as const);
  const begin = (name: string) =>
    fan.action(
      name,
      (now) => (now.value < 0 ? values : []),
      (_, next, value) => {
        next.value = value;
        next.last = name;
      },
    );
  const end = fan.action("End", [[]], (now, next) => {
    if (now.value < 0 || now.isOver) return disabled;
    if (now.value === size / 2 && now.last === "Left") return disabled;
    next.isOver = true;
    next.last = "End";
    return undefined;
  });
  const model = opaque<Fan>({
    name: "fan",
    parameters: {},
    identities: [],
    initial: [{ value: -1, last: "", isOver: false }],
    actions: [begin("Left"), begin("Right"), end],
  });
  const { alike, generated, distinct } = await explore(model, { alikeAfter: 0 });
  expect({ generated, distinct }).toEqual({ generated: 4 * size, distinct: 3 * size + 1 });
  expect(alike).toBeGreaterThan(0);
  expect(alike).toBeLessThan(size);
});

it("counts as the slow twin does where levels take many chunks", async () => {
  interface Wide {
    level: number;
    value: number;
    last: string;
  }
  const wide = vocabulary<Wide>();
  const values = Array.from({ length: 1500 }, (_, value) => [value] as const);
  const factor = fc.integer({ min: 1, max: 40 });
  const oneWay = fc.record({ factor, added: fc.nat(1000), sizes: fc.nat(1500), least: fc.nat(1500) });
  await fc.assert(
    fc.asyncProperty(fc.array(oneWay, { minLength: 2, maxLength: 3 }), async (ways) => {
      const model = opaque<Wide>({
        name: "wide",
        parameters: {},
        identities: [],
        initial: [{ level: 0, value: 0, last: "" }],
        actions: [
          wide.action(
            "Begin",
            (now) => (now.level === 0 ? values : []),
            (_, next, value) => {
              Object.assign(next, { level: 1, value, last: "Begin" });
            },
          ),
          ...ways.map((way, index) =>
            wide.action(`Way${index}`, [[]], (now, next) => {
              if (now.level === 0 || now.level === 4 || now.value < way.least) return disabled;
              next.level = now.level + 1;
              next.value = (now.value * way.factor + way.added) % (1 + way.sizes);
              next.last = `Way${index}`;
              return undefined;
            }),
          ),
        ],
      });
      const { generated, distinct, depth } = await explore(model, { alikeAfter: 0 });
      const slow = exploreNaively(model, { statesMax: 100_000 });
      expect([generated, distinct, depth]).toEqual([slow.generated, slow.distinct, slow.depth]);
    }),
    { numRuns: 12 },
  );
});
