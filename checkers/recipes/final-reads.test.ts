import fc from "fast-check";
import { expect, test } from "vitest";
import { appendList, type Event, HistoryBuilder } from "../../model/index.ts";
import { linearizable } from "../linearizability/index.ts";
import { checkAppendLists } from "./append-lists.ts";
import { checkQueue } from "./collections.ts";
import { checkQueueRemains, resolvedQueue } from "./queue-remains.ts";

const path = "/list-0";
const final = { path, final: true };

function outcomes(events: readonly Event[]): string[] {
  return checkAppendLists(events).map(({ verdict, vacuous }) => (vacuous === true ? "vacuous" : verdict));
}

/** The same history for the specification of a list: appends, and the final read. */
function asList(events: readonly Event[]): readonly Event[] {
  return events.map((event) => {
    if (event.f === "append") return { ...event, value: (event.value as { element: string }).element };
    const data = (event.value as { data?: string }).data ?? "";
    const value = event.type === "ok" ? data.split(" ").filter((element) => element !== "") : null;
    return { ...event, f: "read", value };
  });
}

test("agrees with the search for a linearization, for appends and a final read", () => {
  const steps = fc.array(fc.tuple(fc.nat(2), fc.constantFrom("ok", "fail", "info")), { maxLength: 10 });
  const seen = fc.uniqueArray(fc.nat(4), { maxLength: 5 });
  let violated = 0;
  fc.assert(
    fc.property(steps, seen, (list, order) => {
      const builder = new HistoryBuilder();
      const open = new Set<number>();
      let appended = 0;
      for (const [process, end] of list) {
        if (open.delete(process)) builder[end as "ok" | "fail" | "info"](process);
        else {
          open.add(process);
          builder.invoke(process, "append", { list: path, element: String(appended++) });
        }
      }
      if (appended === 0) return;
      const data = order.map(String).join(" ");
      builder.invoke(9, "sync+getData", final).ok(9, { ...final, data });
      const twin = linearizable(asList(builder.events), appendList()).verdict;
      const found = outcomes(builder.events);
      expect(found.includes("violated") ? "violated" : "holds").toBe(twin);
      if (twin === "violated") violated++;
    }),
    { numRuns: 2000 },
  );
  expect(violated).toBeGreaterThan(100);
});

test("reads may be stale, and never of another order", () => {
  const read = (elements: readonly string[]): Event[] => {
    const builder = new HistoryBuilder();
    for (const element of ["a", "b"])
      builder.invoke(0, "append", { list: path, element }).ok(0, { list: path, element });
    builder.invoke(1, "read", { list: path }).ok(1, { list: path, elements });
    builder.invoke(9, "sync+getData", final).ok(9, { ...final, data: "a b" });
    return [...builder.events];
  };
  expect(outcomes(read([]))).toEqual(["holds", "holds"]);
  expect(outcomes(read(["a"]))).toEqual(["holds", "holds"]);
  for (const wrong of [["b"], ["a", "a"], ["a", "c"]])
    expect(outcomes(read(wrong))).toEqual(["violated", "holds"]);
});

test("what is left of a queue was put in and did not come out", () => {
  const left = (children: readonly string[], end: "ok" | "info" | "fail"): string => {
    const builder = new HistoryBuilder();
    for (const element of ["a", "b"]) builder.invoke("client-0", "enqueue", element).ok("client-0");
    builder.invoke("client-1", "dequeue")[end]("client-1", end === "fail" ? null : "a");
    builder.invoke(9, "sync+getChildren", { path: "/q", final: true });
    return checkQueueRemains(builder.ok(9, { path: "/q", final: true, children }).events, "/q").verdict;
  };
  const [a, b, c] = ["a-0000000000", "b-0000000001", "c-0000000002"];
  expect(left([b], "ok")).toBe("holds");
  expect(left([a, b], "ok")).toBe("violated");
  expect(left([b], "info")).toBe("holds");
  expect(left([a, b], "info")).toBe("holds");
  expect(left([b], "fail")).toBe("violated");
  expect(left([a, b, c], "fail")).toBe("violated");
});

test("the final list tells what became of what was not answered", () => {
  const order = (left: readonly string[], second: "b" | "c"): readonly unknown[] => {
    const builder = new HistoryBuilder();
    for (const element of ["a", "b"]) builder.invoke("client-0", "enqueue", element).ok("client-0");
    builder.invoke("client-0", "enqueue", "c").info("client-0");
    builder.invoke("client-1", "dequeue").info("client-1", "a");
    builder.invoke("client-1", "dequeue").ok("client-1", second);
    builder.invoke(9, "sync+getChildren", { path: "/q", final: true });
    builder.ok(9, { path: "/q", final: true, children: left });
    const resolved = resolvedQueue(builder.events, "/q");
    const events = resolved.map(({ event }, index) => ({ ...event, index }));
    return checkQueue(events).map(({ verdict }) => verdict);
  };
  const [a, b] = ["a-0000000000", "b-0000000001"];
  // Somebody has taken a, and c was put in if it came out, or was not.
  expect(order([], "b")).toEqual(["holds", "holds"]);
  expect(order([b], "c")).toEqual(["holds", "violated"]);
  // Nobody has taken a, and b came out before it.
  expect(order([a], "b")).toEqual(["holds", "violated"]);
});
