import { describe, expect, test } from "vitest";
import { casRegister, type Event, type Json } from "../../../model/light.ts";
import { operationsOf } from "../operations.ts";
import {
  drawFrom,
  randomHistory,
  randomTypes,
  simulatedHistory,
  type RandomType,
  type SimulatedType,
} from "../random-histories.ts";
import { isLinearizableSlowly } from "../slow-twin.ts";
import { refuteOrder } from "../verify.ts";
import { registerByCompletions } from "./register-by-completions.ts";

/** A register of few values that works; an exchange that finds another value fails. */
function working(values: number, hasExchanges: boolean): SimulatedType {
  return {
    specification: casRegister(),
    invoke: (draw) =>
      [
        { f: "read", value: null },
        { f: "write", value: draw(values) },
        { f: "cas", value: [draw(values), draw(values)] },
      ][draw(hasExchanges ? 3 : 2)] as { f: string; value: Json },
    answers: ({ f, value }) =>
      f === "read"
        ? [null, ...Array.from({ length: values }, (_, i) => i)]
        : f === "cas"
          ? [value, false]
          : [value],
  };
}

const mismatchesFail = (events: readonly Event[]): Event[] =>
  events.map((event) =>
    event.type === "ok" && event.f === "cas" && event.value === false ? { ...event, type: "fail" } : event,
  );

describe("on histories of a register with few values", () => {
  test("it never finds an order where the slow twin finds none, and misses next to none", () => {
    let [possible, missed] = [0, 0];
    for (let seed = 1; seed <= 6000; seed++) {
      const draw = drawFrom(seed);
      const shape = { processes: 1 + draw(4), operations: 1 + draw(7), unanswered: draw(3) * 15, failed: 0 };
      const events =
        seed % 2 === 0
          ? randomHistory(randomTypes["cas-register"] as RandomType, shape, draw)
          : simulatedHistory(working(3, seed % 4 === 1), shape, draw(3), draw);
      const operations = operationsOf(mismatchesFail(events));
      const decision = registerByCompletions.decide(operations, null);
      const isPossible = isLinearizableSlowly(operations, casRegister());
      if (decision?.verdict === "holds") {
        expect(refuteOrder(operations, decision.order, casRegister()), `seed ${seed}`).toBeUndefined();
        expect(isPossible, `seed ${seed}`).toBe(true);
      }
      if (!isPossible) continue;
      possible++;
      if (decision === undefined) missed++;
    }
    expect(possible).toBeGreaterThan(1500);
    expect(missed).toBeLessThan(possible / 500);
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
  const rows: readonly (readonly [number, Event["type"], string, Json])[] = [
    [0, "invoke", "write", { a: [1] }],
    [0, "ok", "write", { a: [1] }],
    [0, "invoke", "write", "1"],
    [1, "invoke", "read", null],
    [1, "ok", "read", { a: [1] }],
    [0, "ok", "write", "1"],
    [1, "invoke", "read", null],
    [1, "ok", "read", "1"],
  ];
  const events = rows.map(([process, type, f, value], index): Event => ({
    index,
    time: index,
    process,
    type,
    f,
    value,
  }));
  expect(registerByCompletions.decide(operationsOf(events), null)).toEqual({
    verdict: "holds",
    order: [0, 2, 1, 3],
  });
  const confused = events.map((event) =>
    event.value === "1" && event.f === "read" ? { ...event, value: 1 } : event,
  );
  expect(registerByCompletions.decide(operationsOf(confused), null)).toBeUndefined();
});
