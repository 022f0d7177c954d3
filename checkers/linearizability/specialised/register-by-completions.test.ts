import { describe, expect, test } from "vitest";
import { casRegister, type Event, type Json } from "../../../model/light.ts";
import { operationsOf } from "../operations.ts";
import {
  drawFrom,
  randomHistory,
  randomTypes,
  simulatedHistory,
  type RandomType,
} from "../random-histories.ts";
import { isLinearizableSlowly } from "../slow-twin.ts";
import { refuteOrder } from "../verify.ts";
import { registerByCompletions } from "./register-by-completions.ts";
import { chains, mismatchesFail, working } from "./registers.for-tests.ts";

type Row = readonly [process: number, type: Event["type"], f: string, value: Json];

const eventsOf = (rows: readonly Row[]): Event[] =>
  rows.map(([process, type, f, value], index) => ({ index, time: index, process, type, f, value }));

describe("on histories of a register with few values", () => {
  test("it says what the slow twin says", () => {
    const seen = { holds: 0, violated: 0, undecided: 0 };
    for (let seed = 1; seed <= 9000; seed++) {
      const draw = drawFrom(seed);
      const shape = { processes: 1 + draw(4), operations: 1 + draw(7), unanswered: draw(3) * 15, failed: 0 };
      const events = [
        () => randomHistory(randomTypes["cas-register"] as RandomType, shape, draw),
        () => simulatedHistory(working(3, seed % 2 === 1), shape, draw(3), draw),
        () => randomHistory(chains(2 + draw(2)), shape, draw),
      ][seed % 3]?.() as Event[];
      const operations = operationsOf(mismatchesFail(events));
      const decision = registerByCompletions.decide(operations, null);
      seen[decision?.verdict ?? "undecided"]++;
      if (decision === undefined) continue;
      const isPossible = isLinearizableSlowly(operations, casRegister());
      expect(decision.verdict, `seed ${seed}`).toBe(isPossible ? "holds" : "violated");
      if (decision.verdict === "holds")
        expect(refuteOrder(operations, decision.order, casRegister()), `seed ${seed}`).toBeUndefined();
    }
    expect(seen.holds).toBeGreaterThan(2000);
    expect(seen.violated).toBeGreaterThan(2000);
    expect(seen.undecided).toBeLessThan(10);
  });

  test.each<[string, Row[]]>([
    [
      "an exchange that has happened is missed by another that needs its value",
      [
        [1, "invoke", "write", 1],
        [2, "invoke", "write", 0],
        [1, "ok", "write", 1],
        [2, "ok", "write", 0],
        [1, "invoke", "cas", [0, 1]],
        [0, "invoke", "cas", [1, 0]],
        [2, "invoke", "cas", [0, 1]],
        [1, "ok", "cas", [0, 1]],
        [2, "ok", "cas", [0, 1]],
        [0, "ok", "cas", [1, 0]],
      ],
    ],
    [
      "an unanswered exchange brings back what a write took away",
      [
        [0, "invoke", "write", 1],
        [0, "ok", "write", 1],
        [3, "invoke", "cas", [2, 1]],
        [0, "invoke", "write", 2],
        [1, "invoke", "cas", [1, 3]],
        [1, "ok", "cas", [1, 3]],
        [0, "ok", "write", 2],
        [2, "invoke", "read", null],
        [2, "ok", "read", 3],
      ],
    ],
    [
      "a value that is there is written once more before an exchange takes it away",
      [
        [0, "invoke", "write", 0],
        [0, "ok", "write", 0],
        [0, "invoke", "write", 0],
        [1, "invoke", "cas", [0, 2]],
        [1, "ok", "cas", [0, 2]],
        [0, "ok", "write", 0],
        [1, "invoke", "read", null],
        [1, "ok", "read", 2],
      ],
    ],
    [
      "a configuration that has used less is not the same",
      [
        [0, "invoke", "write", 2],
        [3, "invoke", "read", null],
        [3, "ok", "read", 2],
        [3, "invoke", "write", 1],
        [1, "invoke", "cas", [2, 1]],
        [2, "invoke", "cas", [1, 0]],
        [2, "ok", "cas", [1, 0]],
        [4, "invoke", "cas", [1, 0]],
        [4, "ok", "cas", [1, 0]],
      ],
    ],
  ])("%s", (_, rows) => {
    const operations = operationsOf(eventsOf(rows));
    const decision = registerByCompletions.decide(operations, null);
    expect(decision?.verdict).toBe("holds");
    const order = decision?.verdict === "holds" ? decision.order : [];
    expect(refuteOrder(operations, order, casRegister())).toBeUndefined();
  });

  test.each([
    ["five values", working(5, false), 5, 2],
    ["a hundred values and ten clients", working(100, false), 10, 2],
    ["one operation in ten unanswered", working(5, false), 5, 10],
    ["exchanges", working(5, true), 5, 2],
  ])("it explains 5,000 operations that happened: %s", (_, type, processes, unanswered) => {
    const shape = { processes, operations: 5_000, unanswered, failed: 0 };
    const operations = operationsOf(mismatchesFail(simulatedHistory(type, shape, 0, drawFrom(5))));
    const decision = registerByCompletions.decide(operations, null);
    expect(decision?.verdict).toBe("holds");
    const order = decision?.verdict === "holds" ? decision.order : [];
    expect(refuteOrder(operations, order, casRegister())).toBeUndefined();
  });

  test("it leaves to the search what has more operations open than a word has bits", () => {
    const events = Array.from({ length: 33 }, (_, process): Event => ({
      index: process,
      time: process,
      process,
      type: "invoke",
      f: "write",
      value: 1,
    }));
    const answers = events.map((event): Event => ({
      ...event,
      index: event.index + 33,
      time: event.time + 33,
      type: "ok",
    }));
    expect(registerByCompletions.decide(operationsOf([...events, ...answers]), null)).toBeUndefined();
    const fewer = [...events.slice(0, 32), ...answers.slice(0, 32)];
    expect(registerByCompletions.decide(operationsOf(fewer), null)?.verdict).toBe("holds");
  });
});

test("equal values of any form are one value", () => {
  const events = eventsOf([
    [0, "invoke", "write", { a: [1] }],
    [0, "ok", "write", { a: [1] }],
    [0, "invoke", "write", "1"],
    [1, "invoke", "read", null],
    [1, "ok", "read", { a: [1] }],
    [0, "ok", "write", "1"],
    [1, "invoke", "read", null],
    [1, "ok", "read", "1"],
  ]);
  expect(registerByCompletions.decide(operationsOf(events), null)).toEqual({
    verdict: "holds",
    order: [0, 2, 1, 3],
  });
  const confused = events.map((event) =>
    event.value === "1" && event.f === "read" ? { ...event, value: 1 } : event,
  );
  expect(registerByCompletions.decide(operationsOf(confused), null)?.verdict).toBe("violated");
});
