import { describe, expect, test } from "vitest";
import {
  casRegister,
  type Event,
  type EventType,
  type Json,
  type SequentialSpecification,
} from "../../model/light.ts";
import { linearizable } from "./linearizable.ts";
import { compareWithSlowTwin } from "./twin-comparison.ts";

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
    const comparison = compareWithSlowTwin(6_000, 6, algorithm, 1_000_000);
    expect(comparison.mismatches).toEqual([]);
    expect(comparison.violated).toBeGreaterThan(1_500);
    expect(comparison.violated).toBeLessThan(4_500);
  });
});
