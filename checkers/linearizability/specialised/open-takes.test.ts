import { describe, expect, test } from "vitest";
import type { Event, EventType, Json } from "../../../model/light.ts";
import { linearizable } from "../linearizable.ts";
import { operationsOf } from "../operations.ts";
import { drawFrom, simulatedHistory, simulatedTypes, type SimulatedType } from "../random-histories.ts";
import { isLinearizableSlowly } from "../slow-twin.ts";
import { decideSpecialised } from "./index.ts";
import { LeastFrom } from "./open-takes.ts";

const containers = [
  ["queue", "enqueue", "dequeue"],
  ["stack", "push", "pop"],
  ["priority-queue", "insert", "delete-min"],
] as const;

describe.each(containers)("of a %s", (name, put, take) => {
  const type = simulatedTypes[name] as SimulatedType;

  function history(...rows: readonly (readonly [number, EventType, string, Json])[]): Event[] {
    return rows.map(([process, kind, f, value], index) => ({
      index,
      time: index,
      process,
      type: kind,
      f,
      value,
    }));
  }

  test("what is said of unanswered takings is what the slow twin says, and nearly always something is", () => {
    let [holding, violated, undecided] = [0, 0, 0];
    for (let seed = 1; seed <= 3000; seed++) {
      const draw = drawFrom(seed);
      const shape = { processes: 2 + draw(3), operations: 4 + draw(5), unanswered: 20, failed: 0 };
      const operations = operationsOf(simulatedHistory(type, shape, draw(3), draw));
      if (!operations.some(({ f, return: returned }) => f === take && returned === Infinity)) continue;
      const said = decideSpecialised(type.specification, operations)?.decision.verdict;
      if (said === undefined) {
        undecided++;
        continue;
      }
      const isPossible = isLinearizableSlowly(operations, type.specification);
      expect(said, `seed ${seed}`).toBe(isPossible ? "holds" : "violated");
      if (isPossible) holding++;
      else violated++;
    }
    expect(holding).toBeGreaterThan(500);
    expect(violated).toBeGreaterThan(50);
    expect(undecided).toBeLessThan((holding + violated) / 20);
  });

  /** Values that don't repeat, and don't ascend either. */
  const valueOf = (fresh: number): number => (fresh * 617) % 1009;
  const distinct: SimulatedType = {
    specification: type.specification,
    invoke: (draw, fresh) => (draw(2) === 0 ? { f: put, value: valueOf(fresh) } : { f: take, value: null }),
    answers: ({ f, value }, fresh) =>
      f === put ? [value] : [null, ...Array.from({ length: fresh }, (_, i) => valueOf(i + 1))],
  };

  test("600 operations with unanswered takings are decided by the algorithm of the data type", () => {
    const shape = { processes: 5, operations: 600, unanswered: 2, failed: 0 };
    const events = simulatedHistory(distinct, shape, 0, drawFrom(7));
    const unanswered = operationsOf(events).filter((one) => one.f === take && one.return === Infinity);
    expect(unanswered.length).toBeGreaterThan(3);
    const { verdict, objects } = linearizable(events, type.specification);
    expect(verdict).toBe("holds");
    expect(objects[0]?.algorithm).not.toBe("search");
  });

  test("a value that is missing is explained by a taking that was called in time, not by a later one", () => {
    // 1 is gone before it may be: of the three containers each would have given out 1 where it says that it is empty.
    const before = history(
      [0, "invoke", put, 1],
      [0, "ok", put, 1],
      [1, "invoke", take, null],
      [2, "invoke", take, null],
      [2, "ok", take, null],
    );
    expect(linearizable(before, type.specification).verdict).toBe("holds");
    const after = history(
      [0, "invoke", put, 1],
      [0, "ok", put, 1],
      [2, "invoke", take, null],
      [2, "ok", take, null],
      [1, "invoke", take, null],
    );
    const verdict = linearizable(after, type.specification);
    expect(verdict.verdict).toBe("violated");
    expect(verdict.objects[0]?.algorithm).not.toBe("search");
    expect(verdict.violation?.events.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  });

  test("one unanswered taking does not explain two values that are missing", () => {
    const events = history(
      [1, "invoke", take, null],
      [0, "invoke", put, 1],
      [0, "ok", put, 1],
      [0, "invoke", put, 2],
      [0, "ok", put, 2],
      [2, "invoke", take, null],
      [2, "ok", take, null],
    );
    expect(linearizable(events, type.specification)).toMatchObject({
      verdict: "violated",
      objects: [{ explanation: { confirmed: "impossible" } }],
    });
  });
});

test("the least number from a rank on is what a walk over all finds", () => {
  const draw = drawFrom(3);
  const tree = new LeastFrom(50);
  const added: { readonly rank: number; readonly number: number }[] = [];
  for (let i = 0; i < 200; i++) {
    const [rank, number] = [draw(50), draw(1000)];
    if (draw(3) === 0) {
      tree.add(rank, number);
      added.push({ rank, number });
    }
    const from = draw(50);
    expect(tree.least(from)).toBe(
      Math.min(Infinity, ...added.filter((one) => one.rank >= from).map((one) => one.number)),
    );
  }
});
