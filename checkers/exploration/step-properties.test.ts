import { expect, it } from "vitest";
import { opaque, update, vocabulary, type Model, type StepProperty } from "../../model/index.ts";
import { explore } from "./explore.ts";

interface State {
  first: number;
  second: number;
  sum: number;
  last: number;
}

const { action, stepProperty } = vocabulary<State>();
const sumMax = 9;
const add = (sum: number, more: number): number => Math.min(sumMax, sum + more);

/** Steps of two effects, which read nothing, from many states of each sum. */
function stepsFromAll(property: StepProperty<State>): Model<unknown> {
  const numbers = [0, 1, 2, 3];
  return opaque<State>({
    name: "steps",
    parameters: {},
    identities: [],
    initial: numbers.flatMap((first) => numbers.map((second) => ({ first, second, sum: 0, last: 0 }))),
    actions: [
      action("Add", [[1], [2]], (_, next, more) => {
        update(next, "sum", add, more);
        next.last = more;
      }),
    ],
    stepProperties: [property],
  });
}

async function lengthOf(property: StepProperty<State>): Promise<number | undefined> {
  return (await explore(stepsFromAll(property))).counterexample?.length;
}

it("tells steps of one effect apart by all that a property asks for, though it asks for it of few", async () => {
  const holds = (first: number, second: number) =>
    stepProperty("NotThere", (before, after) => {
      // Nothing that is asked for later is asked for for the first time.
      if (before.sum === 1) return before.first + before.second + before.last + after.last >= 0;
      const isThere = before.sum === 7 && before.first === first && before.second === second;
      return !(isThere && before.last === 1 && after.last === 2);
    });
  for (const second of [0, 1, 2, 3]) expect(await lengthOf(holds(2, second))).toBe(6);
  expect(await lengthOf(holds(2, 4))).toBeUndefined();
});

it("tells steps apart by what an effect makes of what it does not read", async () => {
  const holds = (from: number, to: number) =>
    stepProperty("NotSo", (before, after) => !(before.sum === from && after.sum === to));
  expect(await lengthOf(holds(5, 7))).toBe(5);
  expect(await lengthOf(holds(5, 8))).toBeUndefined();
});
