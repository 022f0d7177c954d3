import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { draft, stateKey, successors, take } from "./interpret.ts";
import { each, pairs, servers, table, type PerServer, type Server } from "./identity.ts";
import {
  disabled,
  forAll,
  judgeState,
  judgeStep,
  project,
  update,
  vacuous,
  vocabulary,
  type Model,
  type Taken,
} from "./model.ts";
import { at, canonical, FiniteSet, freeze, ModelError, setOf, type Value } from "./value.ts";

const set = servers(2, { symmetric: true });
const [s1, s2] = set.members as readonly [Server, Server];

const leaf: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom("", "a", 'b"', "[1]"),
  fc.constantFrom(s1, s2),
);
const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(tie("value"), { maxLength: 3 }).map((elements) => new FiniteSet(elements)),
    fc.dictionary(fc.constantFrom("x", "y", "z"), tie("value"), { maxKeys: 3, noNullPrototype: true }),
    fc.record({ a: tie("value"), b: tie("value") }).map(({ a, b }) => ({ [s1]: a, [s2]: b }) as Value),
  ),
}));

/** Equal in content, the obvious way. */
function equal(one: Value, other: Value): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null)
    return Object.is(one, other) || (one === 0 && other === 0);
  if (one instanceof FiniteSet || other instanceof FiniteSet) {
    if (!(one instanceof FiniteSet && other instanceof FiniteSet) || one.size !== other.size) return false;
    return [...one].every((a) => [...other].some((b) => equal(a, b)));
  }
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [a, b] = [one, other] as unknown as Record<string | symbol, Value>[];
  const keys = Reflect.ownKeys(one).filter((key) => key !== "length");
  const others = Reflect.ownKeys(other).filter((key) => key !== "length");
  return (
    keys.length === others.length &&
    keys.every((key) => others.includes(key) && equal(a?.[key] as Value, b?.[key] as Value))
  );
}

describe("a value", () => {
  it("has the text of another exactly when they are equal", () => {
    fc.assert(
      fc.property(value, value, (one, other) => {
        expect(canonical(one) === canonical(other)).toBe(equal(one, other));
      }),
      { numRuns: 2000 },
    );
  });

  it("keeps its text when it is frozen, and whatever the order of its fields", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("x", "y", "z"), value, { noNullPrototype: true }),
        (record) => {
          const reversed = Object.fromEntries(Object.entries(record).toReversed());
          expect(canonical(reversed)).toBe(canonical(record));
          const before = canonical(record);
          expect(canonical(freeze(record))).toBe(before);
        },
      ),
    );
  });

  it.each([
    ["undefined", undefined],
    ["a fraction", 0.5],
    ["NaN", Number.NaN],
    ["a function", () => 1],
    ["an instance of a class", new Date(0)],
  ])("is never %s", (_, wrong) => {
    expect(() => canonical([wrong] as unknown as Value)).toThrow(ModelError);
  });
});

describe("a finite set", () => {
  it("does what a set of texts does", () => {
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 6 }),
        fc.array(value, { maxLength: 4 }),
        value,
        (a, b, probe) => {
          const texts = new Set(a.map(canonical));
          const one = new FiniteSet(a);
          const textsOf = (those: Iterable<Value>): string[] => [...those].map(canonical).sort();
          expect(one.size).toBe(texts.size);
          expect(textsOf(one)).toEqual([...texts].sort());
          expect(one.has(probe)).toBe(texts.has(canonical(probe)));
          const union = new Set([...texts, ...b.map(canonical)]);
          expect(textsOf(one.with(...b))).toEqual([...union].sort());
          expect(canonical(one.union(b))).toBe(canonical(new FiniteSet([...a, ...b])));
          const rest = [...texts].filter((text) => !b.map(canonical).includes(text));
          expect(textsOf(one.without(...b))).toEqual(rest.sort());
          const isFlat = (each: Value): boolean => typeof each !== "object";
          expect(canonical(one.filter(isFlat))).toBe(canonical(new FiniteSet(a.filter(isFlat))));
          expect(canonical(one.map((each) => [each]))).toBe(
            canonical(new FiniteSet(a.map((each) => [each]))),
          );
          expect([one.some(isFlat), one.every(isFlat)]).toEqual([a.some(isFlat), a.every(isFlat)]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("is iterated in an order that depends on its content alone", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), (elements) => {
        const backwards = new FiniteSet(elements.toReversed());
        expect([...new FiniteSet(elements)].map(canonical)).toEqual([...backwards].map(canonical));
      }),
    );
  });

  it("is itself where nothing changes", () => {
    const one = setOf<number>(1, 2);
    expect(one.with(2)).toBe(one);
    expect(one.without(3)).toBe(one);
  });
});

it("takes an index out of range for an error of the model", () => {
  expect(at(["a", "b"], 2)).toBe("b");
  for (const position of [0, 3, 1.5]) expect(() => at(["a", "b"], position)).toThrow(ModelError);
});

it("says vacuous of all cases where none was exercised, and false where any is", () => {
  expect(forAll([], () => true)).toBe(vacuous);
  expect(forAll([1, 2], () => vacuous)).toBe(vacuous);
  expect(forAll([1, 2], (n) => (n === 1 ? vacuous : true))).toBe(true);
  expect(forAll([1, 2, 3], (n) => n !== 2)).toBe(false);
});

interface Tokens {
  held: PerServer<boolean>;
  passed: number;
}
const { action, invariant, stepProperty } = vocabulary<Tokens>();
const tokens: Model<Tokens> = {
  name: "tokens",
  parameters: {},
  identities: [],
  initial: [{ held: table(set, (s) => s === s1), passed: 0 }],
  actions: [
    action("Pass", pairs(set), (now, next, i, j) => {
      if (!now.held[i] || now.passed > 0) return disabled;
      next.held[i] = false;
      next.held[j] = true;
      update(next, "passed", (passed) => passed + 1);
    }),
  ],
  invariants: [invariant("One", pairs(set), (now, i, j) => !(now.held[i] && now.held[j]))],
  stepProperties: [
    stepProperty("Told", each(set), (before, after, s, taken) =>
      before.held[s] === after.held[s] ? vacuous : taken.action === "Pass" && taken.parameters.includes(s),
    ),
  ],
};

describe("a model in its plain meaning", () => {
  const [initial] = tokens.initial as readonly [Tokens];

  it("has a successor for each parameter list that is enabled", () => {
    const steps = successors(tokens, initial);
    expect(steps.map(({ parameters }) => parameters)).toEqual([[s1, s2]]);
    expect(steps[0]?.state).toEqual({ held: { [s1]: false, [s2]: true }, passed: 1 });
    expect(successors(tokens, steps[0]?.state as Tokens)).toEqual([]);
  });

  it("changes and projects entries by functions as if they were read and written", () => {
    const add = (passed: number, more: number): number => passed + more;
    const [pass] = [
      action("Pass", each(set), (now, next, i) => {
        if (!project(now.held, i, (held) => held)) return disabled;
        update(next, "passed", add, 2);
        return undefined;
      }),
    ];
    expect(take(pass as Model<Tokens>["actions"][0], initial, [s1])).toEqual({ ...initial, passed: 2 });
    expect(take(pass as Model<Tokens>["actions"][0], initial, [s2])).toBeUndefined();
  });

  it("leaves the state before as it was, and freezes the one after", () => {
    const key = stateKey(initial);
    const [pass] = tokens.actions as [Model<Tokens>["actions"][0]];
    const after = take(pass, initial, [s1, s2]) as Tokens;
    expect(stateKey(initial)).toBe(key);
    expect(() => {
      after.passed = 7;
    }).toThrow(TypeError);
    expect(take(pass, initial, [s2, s1])).toBeUndefined();
  });

  it("judges quantified properties for all their parameter lists", () => {
    const [one] = tokens.invariants ?? [];
    const [told] = tokens.stepProperties ?? [];
    const after = successors(tokens, initial)[0]?.state as Tokens;
    expect(judgeState(one as never, initial as never)).toBe(true);
    const both = draft(initial);
    both.held[s2] = true;
    expect(judgeState(one as never, both as never)).toBe(false);
    const taken: Taken = { action: "Pass", parameters: [s1, s2] };
    expect(judgeStep(told as never, initial as never, after as never, taken)).toBe(true);
    expect(judgeStep(told as never, initial as never, after as never, { ...taken, action: "Drop" })).toBe(
      false,
    );
    expect(judgeStep(told as never, initial as never, initial as never, taken)).toBe(vacuous);
  });
});
