import { expect, test } from "vitest";
import { keyValue, specificationNamed, type Event, type Json } from "../../model/index.ts";
import { linearizable } from "./linearizable.ts";
import { linearizableInParallel } from "./parallel.ts";
import { drawFrom, randomHistory, randomTypes } from "./random-histories.ts";

/** Sets are hard when they are read whole: many additions at once, none of them answered in any order. */
function hardKey(key: number, from: number): Event[] {
  const event = (time: number, process: number, type: Event["type"], f: string, value: Json): Event => ({
    index: 0,
    time,
    process,
    type,
    f,
    value,
  });
  const many = Array.from({ length: 24 }, (_, i) => i);
  return [
    ...many.map((i) =>
      event(from, 100 * key + i, "invoke", "append", { key: String(key), value: String(i % 5) }),
    ),
    ...many.map((i) =>
      event(from + 1 + i, 100 * key + i, "ok", "append", { key: String(key), value: String(i % 5) }),
    ),
    event(from + 50, 100 * key, "invoke", "get", { key: String(key), value: null }),
    event(from + 51, 100 * key, "ok", "get", { key: String(key), value: "01234".repeat(4) + "9123" }),
  ];
}

const numbered = (events: readonly Event[]): Event[] => events.map((event, index) => ({ ...event, index }));

test("worker threads come to the verdicts of one thread", async () => {
  const draw = drawFrom(5);
  for (let i = 0; i < 20; i++) {
    const events = randomHistory(
      randomTypes["kv"]!,
      { processes: 3, operations: 12, unanswered: 10, failed: 0 },
      draw,
    );
    const alone = linearizable(events, keyValue());
    const parallel = await linearizableInParallel(events, keyValue(), { name: "kv", initial: undefined });
    expect(parallel.verdict).toBe(alone.verdict);
  }
});

test("hard keys are given to workers, and what is left undone is unknown", async () => {
  const events = numbered([...hardKey(1, 0), ...hardKey(2, 1000)]);
  const specification = specificationNamed("kv");
  const verdict = await linearizableInParallel(
    events,
    specification,
    { name: "kv", initial: undefined },
    { timeMs: 1_500, allKeys: true },
  );
  expect(verdict.objects.map(({ key }) => key)).toEqual(["1", "2"]);
  expect(["unknown", "violated"]).toContain(verdict.verdict);
});
