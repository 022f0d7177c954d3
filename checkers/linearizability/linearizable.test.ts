import { describe, expect, test } from "vitest";
import {
  casRegister,
  fifoQueue,
  type Event,
  type EventType,
  type Json,
  type SequentialSpecification,
} from "../../model/light.ts";
import { linearizable } from "./linearizable.ts";
import { compareSpecialised, compareWithSlowTwin } from "./twin-comparison.ts";
import { confirmImpossible, refuteOrder } from "./verify.ts";
import { operationsOf } from "./operations.ts";

/** Events from rows [time, process, type, f, value]. */
function history(...rows: readonly (readonly [number, number, EventType, string, Json])[]): Event[] {
  return rows.map(([time, process, type, f, value], index) => ({ index, time, process, type, f, value }));
}

describe("the definition", () => {
  test("a read that overlaps a write may see the old value or the new one", () => {
    for (const seen of [null, 1]) {
      const events = history(
        [0, 0, "invoke", "write", 1],
        [1, 1, "invoke", "read", null],
        [2, 1, "ok", "read", seen],
        [3, 0, "ok", "write", 1],
      );
      expect(linearizable(events, casRegister()).verdict).toBe("holds");
    }
  });

  test("a read that follows a write may not see the old value", () => {
    const events = history(
      [0, 0, "invoke", "write", 1],
      [1, 0, "ok", "write", 1],
      [2, 1, "invoke", "read", null],
      [3, 1, "ok", "read", null],
    );
    const verdict = linearizable(events, casRegister());
    expect(verdict.verdict).toBe("violated");
    expect(verdict.violation?.earliest?.index).toBe(3);
    expect(verdict.violation?.events.map((event) => event.index)).toEqual([0, 1, 2, 3]);
  });

  test("intervals are closed: operations that touch are concurrent", () => {
    const events = history(
      [0, 0, "invoke", "write", 1],
      [1, 0, "ok", "write", 1],
      [1, 1, "invoke", "read", null],
      [2, 1, "ok", "read", null],
    );
    expect(linearizable(events, casRegister()).verdict).toBe("holds");
  });

  test("an unanswered write may have happened at any later time or never", () => {
    const write = [
      [0, 0, "invoke", "write", 1],
      [1, 0, "info", "write", 1],
    ] as const;
    const reads = (...values: readonly Json[]): Event[] =>
      history(
        ...write,
        ...values.flatMap((value, i) => [
          [2 + 2 * i, 1, "invoke", "read", null] as const,
          [3 + 2 * i, 1, "ok", "read", value] as const,
        ]),
      );
    expect(linearizable(reads(null, null), casRegister()).verdict).toBe("holds");
    expect(linearizable(reads(null, 1), casRegister()).verdict).toBe("holds");
    expect(linearizable(reads(1, null), casRegister()).verdict).toBe("violated");
  });

  test("a failed write never happened", () => {
    const events = history(
      [0, 0, "invoke", "write", 1],
      [1, 0, "fail", "write", 1],
      [2, 1, "invoke", "read", null],
      [3, 1, "ok", "read", 1],
    );
    expect(linearizable(events, casRegister()).verdict).toBe("violated");
  });

  test("a history without operations holds, and says that nothing was judged", () => {
    expect(linearizable([], casRegister())).toMatchObject({ verdict: "holds", vacuous: true });
  });
});

test("a model of one's own takes few lines", () => {
  const tickets: SequentialSpecification<number> = {
    name: "tickets",
    initial: 0,
    key: String,
    step: (given, call) => (call.result === undefined || call.result === given + 1 ? [given + 1] : []),
  };
  const take = (first: Json, second: Json): Event[] =>
    history(
      [0, 0, "invoke", "take", null],
      [1, 1, "invoke", "take", null],
      [2, 0, "ok", "take", first],
      [3, 1, "ok", "take", second],
    );
  expect(linearizable(take(2, 1), tickets).verdict).toBe("holds");
  expect(linearizable(take(1, 1), tickets).verdict).toBe("violated");
});

describe("the slow twin agrees on random histories", () => {
  test.each(["search", "auto"] as const)("with algorithm %s", (algorithm) => {
    const comparison = compareWithSlowTwin(4_000, 6, algorithm, 1_000_000);
    expect(comparison.mismatches).toEqual([]);
    expect(comparison.violated).toBeGreaterThan(1_000);
    expect(comparison.violated).toBeLessThan(3_000);
  });

  test("with the specialised algorithms, which decide most of them", () => {
    const { mismatches, violated, decided } = compareSpecialised(4_000, 6, 2_000_000);
    expect(mismatches).toEqual([]);
    expect(violated).toBeGreaterThan(100);
    for (const type of ["plain register", "queue", "stack", "priority-queue"])
      expect(decided[type], type).toBeGreaterThan(500);
    expect(decided["register"]).toBeGreaterThan(200);
    expect(decided["set"]).toBeGreaterThan(100);
  });
});

describe("the independent verifier", () => {
  const events = history(
    [0, 0, "invoke", "write", 1],
    [1, 0, "ok", "write", 1],
    [2, 1, "invoke", "read", null],
    [3, 1, "ok", "read", 1],
  );
  const operations = operationsOf(events);

  test("accepts a linearization", () => {
    expect(refuteOrder(operations, [0, 1], casRegister())).toBeUndefined();
  });

  test("refuses an order against real time, an impossible answer, a missing and a repeated operation", () => {
    expect(refuteOrder(operations, [1, 0], casRegister(1))).toContain("began when it had returned");
    expect(refuteOrder(operations, [0, 1], casRegister(5))).toBeUndefined();
    expect(refuteOrder([operations[1]!], [0], casRegister())).toContain("impossible");
    expect(refuteOrder(operations, [0], casRegister())).toContain("no place");
    expect(refuteOrder(operations, [0, 0], casRegister())).toContain("twice");
  });

  test("confirms what has no order, and only that", () => {
    expect(confirmImpossible(operations, casRegister(), 100)).toBe("possible");
    expect(confirmImpossible([operations[1]!], casRegister(), 100)).toBe("impossible");
  });
});

describe("bad input", () => {
  test.each([
    ["a completion without invocation", history([0, 0, "ok", "read", 1]), "without an open invocation"],
    [
      "two open operations",
      history([0, 0, "invoke", "read", null], [1, 0, "invoke", "read", null]),
      "is open",
    ],
    [
      "a clock that runs back",
      history([5, 0, "invoke", "read", null], [1, 0, "ok", "read", null]),
      "runs back",
    ],
    [
      "another function",
      history([0, 0, "invoke", "read", null], [1, 0, "ok", "write", 1]),
      "had invoked read",
    ],
    [
      "an unknown call",
      history([0, 0, "invoke", "fly", null], [1, 0, "ok", "fly", null]),
      "knows no such call",
    ],
    [
      "a malformed argument",
      history([0, 0, "invoke", "cas", 1], [1, 0, "ok", "cas", 1]),
      "cas needs [old, new]",
    ],
  ])("%s is an error that names the event", (_, events, message) => {
    expect(() => linearizable(events, casRegister())).toThrow(message);
    expect(() => linearizable(events, casRegister())).toThrow(/event \d/);
  });
});

test("time that does not suffice is unknown, and says how far it got", () => {
  const events: Event[] = Array.from({ length: 40 }, (_, i) => ({
    index: i,
    time: 0,
    process: i,
    type: "invoke",
    f: "enqueue",
    value: i % 7,
  }));
  for (let i = 0; i < 40; i++)
    events.push({ index: 40 + i, time: 1 + i, process: i, type: "ok", f: "enqueue", value: null });
  const dequeues = [6, 5, 4, 3, 2, 1, 0, 9].flatMap((value, i): Event[] => [
    { index: 80 + 2 * i, time: 50 + 2 * i, process: 100, type: "invoke", f: "dequeue", value: null },
    { index: 81 + 2 * i, time: 51 + 2 * i, process: 100, type: "ok", f: "dequeue", value },
  ]);
  const verdict = linearizable([...events, ...dequeues], fifoQueue(), { timeMs: 50 });
  expect(verdict.verdict).toBe("unknown");
  expect(verdict.detail).toContain("time ran out");
});
