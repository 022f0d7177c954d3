import { describe, expect, test } from "vitest";
import type { Json } from "../history.ts";
import { namedSpecifications, specificationNamed } from "./named.ts";
import type { SequentialSpecification } from "./specification.ts";

type Line = readonly [f: string, argument: Json, result: Json | undefined];

/** How many states are possible after the calls, one after the other. */
function after(specification: SequentialSpecification<unknown>, ...lines: Line[]): number {
  let states: readonly unknown[] = [specification.initial];
  for (const [f, argument, result] of lines) {
    states = states.flatMap((state) => specification.step(state, { f, argument, result }));
  }
  return new Set(states.map((state) => specification.key(state))).size;
}

const stat = (version: number): Json => ({ version });

/** A run that each specification allows, and the same run with one answer that it must refuse. */
const samples: { readonly [name: string]: { initial?: Json; good: Line[]; bad: Line } } = {
  register: {
    good: [
      ["read", null, null],
      ["write", 1, null],
      ["read", null, 1],
    ],
    bad: ["read", null, 2],
  },
  "cas-register": {
    initial: 0,
    good: [
      ["cas", [0, 1], true],
      ["cas", [0, 2], false],
    ],
    bad: ["cas", [0, 1], true],
  },
  "versioned-register": {
    initial: "x",
    good: [
      ["getData", { path: "/a" }, { data: "x", stat: stat(0) }],
      ["setData", { path: "/a", data: "y", version: 0 }, { stat: stat(1) }],
      ["setData", { path: "/a", data: "z", version: 0 }, { error: "BadVersion" }],
      ["delete", { path: "/a", version: 1 }, {}],
      ["exists", { path: "/a" }, { error: "NoNode" }],
      ["create", { path: "/a", data: "n" }, { path: "/a" }],
      ["create", { path: "/a", data: "n" }, { error: "NodeExists" }],
    ],
    bad: ["getData", { path: "/a" }, { data: "n", stat: stat(1) }],
  },
  kv: {
    good: [
      ["put", { key: "k", value: "a" }, null],
      ["append", { key: "k", value: "b" }, null],
      ["get", { key: "k" }, { key: "k", value: "ab" }],
    ],
    bad: ["get", { key: "k" }, { key: "k", value: "ba" }],
  },
  set: {
    initial: [1],
    good: [
      ["add", 2, null],
      ["read", null, [2, 1]],
      ["contains", 3, false],
    ],
    bad: ["read", null, [2]],
  },
  queue: {
    good: [
      ["enqueue", 1, null],
      ["enqueue", 2, null],
      ["dequeue", null, 1],
    ],
    bad: ["dequeue", null, null],
  },
  stack: {
    good: [
      ["push", 1, null],
      ["push", 2, null],
      ["pop", null, 2],
    ],
    bad: ["pop", null, 2],
  },
  "priority-queue": {
    good: [
      ["insert", 5, null],
      ["insert", 3, null],
      ["delete-min", null, 3],
    ],
    bad: ["delete-min", null, 4],
  },
  mutex: {
    good: [
      ["acquire", null, null],
      ["release", null, null],
      ["acquire", null, null],
    ],
    bad: ["acquire", null, null],
  },
  "read-write-lock": {
    good: [
      ["acquire-read", "a", null],
      ["acquire-read", "b", null],
      ["release-read", "a", null],
      ["release-read", "b", null],
      ["acquire-write", "a", null],
    ],
    bad: ["acquire-read", "b", null],
  },
  counter: {
    initial: 3,
    good: [
      ["add", 2, null],
      ["read", null, 5],
    ],
    bad: ["read", null, 3],
  },
  "append-list": {
    good: [
      ["append", 1, null],
      ["append", 2, null],
      ["read", null, [1, 2]],
    ],
    bad: ["read", null, [2, 1]],
  },
  "unique-ids": {
    good: [
      ["generate", null, 7],
      ["generate", null, 8],
    ],
    bad: ["generate", null, 7],
  },
  znodes: {
    good: [
      ["create", { path: "/a", data: "x", mode: "persistent", session: "0x1" }, { path: "/a" }],
      [
        "create",
        { path: "/a/s-", data: null, mode: "ephemeral-sequential", session: "0x1" },
        { path: "/a/s-0000000000" },
      ],
      ["getChildren", { path: "/a", session: "0x2" }, { children: ["s-0000000000"], stat: { cversion: 1 } }],
      ["delete", { path: "/a", version: -1 }, { error: "NotEmpty" }],
      ["closeSession", { session: "0x1" }, {}],
      ["multi", { operations: [{ op: "delete", path: "/a", version: 0 }] }, { results: [{ op: "delete" }] }],
    ],
    bad: ["exists", { path: "/a" }, { stat: stat(0) }],
  },
};

describe("specifications", () => {
  test.each(namedSpecifications.map(({ name }) => name))(
    "%s allows what it should and refuses what it should",
    (name) => {
      const sample = samples[name];
      if (sample === undefined) throw new Error(`no sample of ${name}`);
      const specification = specificationNamed(name, sample.initial);
      expect(after(specification, ...sample.good)).toBe(1);
      expect(after(specification, ...sample.good, sample.bad)).toBe(0);
      const [f, argument] = sample.good[0] ?? ["", null];
      expect(after(specification, [f, argument, undefined])).toBeGreaterThan(0);
      expect(after(specification, ["no such operation", argument, null])).toBe(0);
    },
  );

  test("names what it does not know", () => {
    expect(() => specificationNamed("regster")).toThrow(/no specification "regster"/);
    expect(() => specificationNamed("queue", 3)).toThrow(/initial value of a queue is 3/);
    expect(() => specificationNamed("mutex", 3)).toThrow(/one initial state only/);
  });
});
