import { vocabulary, type Action, type Model, type ModelDefinition, opaque } from "../specification/index.ts";

/**
 * Die Hard's jugs: measure four gallons with a jug of five and one of three.
 * The first example of TLA+ (tlaplus/Examples, DieHard).
 */
interface Jugs {
  big: number;
  small: number;
}

const { action, invariant } = vocabulary<Jugs>();

function jugs(bigGallons: number, smallGallons: number): Action<Jugs>[] {
  return [
    action("FillSmallJug", [[]], (_, next) => {
      next.small = smallGallons;
    }),
    action("FillBigJug", [[]], (_, next) => {
      next.big = bigGallons;
    }),
    action("EmptySmallJug", [[]], (_, next) => {
      next.small = 0;
    }),
    action("EmptyBigJug", [[]], (_, next) => {
      next.big = 0;
    }),
    action("SmallToBig", [[]], (now, next) => {
      next.big = Math.min(now.big + now.small, bigGallons);
      next.small = now.small - (next.big - now.big);
    }),
    action("BigToSmall", [[]], (now, next) => {
      next.small = Math.min(now.big + now.small, smallGallons);
      next.big = now.big - (next.small - now.small);
    }),
  ];
}

/** Holds as long as nobody has measured the goal: its counterexample is the solution. */
export const dieHard: ModelDefinition = {
  kind: "model",
  name: "die-hard",
  summary: "two jugs, and a goal that one of them must hold",
  source: "tlaplus/Examples, DieHard",
  parameters: {
    big: { kind: "integer", summary: "gallons of the big jug", default: 5, minimum: 1, maximum: 100 },
    small: { kind: "integer", summary: "gallons of the small jug", default: 3, minimum: 1, maximum: 100 },
    goal: { kind: "integer", summary: "gallons to measure", default: 4, minimum: 0, maximum: 100 },
  },
  build(parameters) {
    const { big, small, goal } = parameters as { big: number; small: number; goal: number };
    const model: Model<Jugs> = {
      name: "die-hard",
      parameters,
      identities: [],
      initial: [{ big: 0, small: 0 }],
      actions: jugs(big, small),
      invariants: [invariant("NotSolved", (now) => now.big !== goal)],
    };
    return opaque(model);
  },
};
