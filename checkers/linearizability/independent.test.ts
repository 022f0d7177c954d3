import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  casRegister,
  type Event,
  fifoQueue,
  type Json,
  mutex,
  type SequentialSpecification,
} from "../../model/index.ts";
import { worst } from "../verdict.ts";
import { linearizable } from "./linearizable.ts";
import { drawFrom, randomHistory, randomTypes } from "./random-histories.ts";

const types: { readonly [name: string]: SequentialSpecification<never> } = {
  "cas-register": casRegister() as unknown as SequentialSpecification<never>,
  queue: fifoQueue() as unknown as SequentialSpecification<never>,
  mutex: mutex() as unknown as SequentialSpecification<never>,
};

/** Histories of several objects, one beside the other, as one of Jepsen's independent keys. */
function together(histories: readonly (readonly Event[])[]): Event[] {
  return histories
    .flatMap((events, key) =>
      events.map((event) => ({
        ...event,
        process: `${key} ${event.process}`,
        value: [key, event.value] as Json,
      })),
    )
    .sort((a, b) => a.time - b.time || a.index - b.index)
    .map((event, index) => ({ ...event, index }));
}

describe("independent keys", () => {
  test.each(Object.entries(types))("of a %s are judged one by one", (name, specification) => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.integer({ min: 1, max: 3 }), (seed, keys) => {
        const draw = drawFrom(seed);
        const shape = { processes: 2, operations: 5, unanswered: 10, failed: 0 };
        const type = randomTypes[name];
        if (type === undefined) throw new Error(`no type ${name}`);
        const histories = Array.from({ length: keys }, () => randomHistory(type, shape, draw));
        const taken = histories.flat().filter(({ f }) => /^(read|dequeue|acquire|release)$/.test(f));
        if (taken.length === 0) return;
        const verdict = linearizable(together(histories), specification, {
          independentKeys: true,
          allKeys: true,
        });
        const alone = histories.map((events) => linearizable(events, specification).verdict);
        expect(verdict.verdict).toBe(worst(alone));
        for (const [key, outcome] of alone.entries()) {
          const found = verdict.objects.find((object) => object.key === `${key}`);
          expect(found?.verdict).toBe(outcome);
        }
        seen.add(verdict.verdict);
      }),
      { numRuns: 150 },
    );
    expect([...seen].sort()).toEqual(["holds", "violated"]);
  });

  const events = (...list: readonly (readonly [string, Json, Json])[]): Event[] =>
    list.flatMap(([f, argument, result], at) => [
      { index: 2 * at, time: 2 * at, process: 0, type: "invoke", f, value: argument },
      { index: 2 * at + 1, time: 2 * at + 1, process: 0, type: "ok", f, value: result },
    ]);
  const keyed = { independentKeys: true };

  test("the verdict says so", () => {
    const good = events(["write", ["x", 1], ["x", 1]], ["read", ["y", null], ["y", null]]);
    expect(linearizable(good, casRegister(), keyed).detail).toContain("on 2 independent keys");
    const bad = events(["write", ["x", 1], ["x", 1]], ["read", ["x", null], ["x", null]]);
    const found = linearizable(bad, casRegister(), keyed);
    expect(found.detail).toMatch(/1 independent key: key "x"/);
    expect(found.violation?.events.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  });

  test.each([
    ["values that are pairs", events(["write", [1, 2], [1, 2]], ["read", null, [1, 2]])],
    ["cas only", events(["write", 2, 2], ["cas", [2, 3], [2, 3]])],
  ])("%s are no keys", (_, history) => {
    const verdict = linearizable(history, casRegister(), keyed);
    expect([verdict.verdict, verdict.objects.map(({ key }) => key)]).toEqual(["holds", [undefined]]);
  });
});
