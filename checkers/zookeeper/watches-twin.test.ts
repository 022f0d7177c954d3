import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ZnodeRequest } from "../../model/index.ts";
import { type Move, plan, type Plan } from "./watched-histories.for-tests.ts";
import { compare, compareMany, neverBlames, neverBlamesLosses } from "./watches-comparison.for-tests.ts";

const ask = (request: ZnodeRequest): readonly Move[] => [
  { what: "ask", session: 0, request },
  { what: "serve", session: 0 },
];
const note: Move = { what: "note", session: 0, which: 0 };
const apply: Move = { what: "apply", session: 0 };
const write = (request: ZnodeRequest): readonly Move[] => [{ what: "write", request }, apply];
const cut = (meanwhile: readonly ZnodeRequest[], isLost = false): readonly Move[] => [
  { what: "cut", session: 0, isLost, toOld: false, meanwhile },
  { what: "serve", session: 0 },
];
const addWatch = (path: string): ZnodeRequest => ({ op: "addWatch", path, mode: "persistent" });
const look = (op: "getData" | "getChildren", path: string): ZnodeRequest => ({ op, path, watch: true });
const set = (path: string): ZnodeRequest => ({ op: "setData", path, data: "x", version: -1 });
const gone: ZnodeRequest = { op: "delete", path: "/c", version: -1 };
const born: ZnodeRequest = { op: "create", path: "/a/b", data: "", mode: "persistent" };

function planOf(moves: readonly Move[], more: Partial<Plan> = {}): Plan {
  return { moves, startsOld: false, damage: "lost", which: 0, by: 0, ...more };
}

/** What both say where the first event is of another type, and so much later. */
function damagedTo(moves: readonly Move[], type: string, by: number): unknown {
  const { legal, fast } = compare(planOf(moves, { damage: "none" }), (event) =>
    event.process === "watches"
      ? {
          ...event,
          f: type,
          zxid: (event.zxid ?? 0) + by,
          value: { ...(event.value as object), watchZxid: (event.zxid ?? 0) + by },
        }
      : event,
  );
  return [legal, fast];
}

test("watches are judged as by trying every way in which the servers may have answered", () => {
  const counts = compareMany(plan, 6000);
  for (const damage of ["lost", "twice", "moved", "elsewhere", "retyped", "without zxid", "other zxid"]) {
    const seen = counts.get(`${damage} violated`) ?? 0;
    expect([damage, seen > 1, (counts.get(`${damage} holds`) ?? 0) > 1]).toEqual([damage, true, true]);
  }
  for (const what of ["missed", "old", "recursive", "pipelined", "unanswered", "removed", "multi"])
    expect([what, (counts.get(what) ?? 0) > 5]).toEqual([what, true]);
});

test("nobody is blamed where ephemeral nodes may have gone at any time", () => {
  expect(neverBlames(300)).toBeGreaterThan(20);
});

test("nobody is blamed whichever answers are lost, and whether or not a connection is said to be gone", () => {
  expect(neverBlamesLosses(1500)).toBeGreaterThan(200);
});

test.each<[string, readonly Move[]]>([
  [
    "an event noted while the request was open, after the answer",
    [...ask(addWatch("/c")), ...write(set("/c")), ...write(set("/c")), note],
  ],
  [
    "a change before an event of a later one",
    [...ask(addWatch("/a")), note, ...ask(addWatch("/c")), ...write(gone), ...write(born), note],
  ],
  [
    "what was missed, for each of two watches",
    [...ask(look("getData", "/c")), note, ...ask(look("getChildren", "/c")), note, ...cut([gone]), note],
  ],
  [
    "what was missed, beside a persistent watch",
    [...ask(addWatch("/a")), note, ...ask(look("getChildren", "/a")), note, ...cut([born]), note],
  ],
  [
    "a change below a recursive watch",
    [
      ...ask({ op: "addWatch", path: "/a", mode: "persistent-recursive" }),
      ...write(born),
      ...write(set("/a/b")),
      note,
    ],
  ],
])("%s must be told", (_, moves) => {
  const whole = compare(planOf(moves, { damage: "none" }));
  expect([whole.legal, whole.fast]).toEqual([true, "holds"]);
  const lost = compare(planOf(moves));
  expect([lost.legal, lost.fast]).toEqual([false, "violated"]);
});

test("an event without a zxid is refused where the server tells zxids and sets no watches again", () => {
  const moves = [...ask(addWatch("/c")), note, ...write(set("/c")), ...write(set("/c"))];
  const { legal, fast, detail } = compare(planOf(moves, { damage: "without zxid" }));
  expect([legal, fast]).toEqual([false, "violated"]);
  expect(detail).toMatch(/without a zxid, although its server tells zxids/);
});

describe("a watch whose request was lost with the connection", () => {
  const lostWatch = (request: ZnodeRequest, ...changes: ZnodeRequest[]): readonly Move[] => [
    ...ask(request),
    ...changes.flatMap((change) => write(change)),
    ...cut([], true),
  ];
  const multi = (...operations: ZnodeRequest[]): ZnodeRequest =>
    ({ op: "multi", operations }) as unknown as ZnodeRequest;
  const verdicts = (moves: readonly Move[], more: Partial<Plan>): unknown => {
    const { legal, fast } = compare(planOf(moves, more));
    return [legal, fast];
  };

  test("may tell its event, once", () => {
    const moves = lostWatch(look("getData", "/c"), set("/c"));
    expect(verdicts(moves, { damage: "none" })).toEqual([true, "holds"]);
    expect(verdicts(moves, { damage: "twice" })).toEqual([false, "violated"]);
  });

  test("was set on a node that there was", () => {
    const moves = lostWatch(look("getData", "/c"), gone, { ...born, path: "/c" } as ZnodeRequest);
    expect(verdicts(moves, { damage: "none" })).toEqual([true, "holds"]);
    // The creation, at the next zxid, instead of the deletion.
    const created = damagedTo(moves, "NodeCreated", 1);
    expect(created).toEqual([false, "violated"]);
  });

  test("tells no second time what another watch of the connection has told", () => {
    const moves = [...ask(addWatch("/c")), ...lostWatch(addWatch("/c"), set("/c"))];
    expect(verdicts(moves, { damage: "none" })).toEqual([true, "holds"]);
    expect(verdicts(moves, { damage: "twice" })).toEqual([false, "violated"]);
  });

  test("tells what a transaction changed first", () => {
    const moves = lostWatch(look("getData", "/c"), multi(set("/c"), gone));
    expect(verdicts(moves, { damage: "none" })).toEqual([true, "holds"]);
    expect(damagedTo(moves, "NodeDeleted", 0)).toEqual([false, "violated"]);
  });

  test("tells the rest of what a transaction changed, beside one that told the first change", () => {
    const moves = [...ask(look("getData", "/c")), note, ...lostWatch(addWatch("/c"), multi(set("/c"), gone))];
    expect(verdicts(moves, { damage: "none" })).toEqual([true, "holds"]);
    expect(verdicts(moves, { damage: "lost", which: 1 })).toEqual([true, "holds"]);
    expect(verdicts(moves, { damage: "lost" })).toEqual([false, "violated"]);
  });

  test("tells all that a transaction changed, if it is persistent", () => {
    const moves = lostWatch(addWatch("/c"), multi(set("/c"), gone));
    expect(verdicts(moves, { damage: "none" })).toEqual([true, "holds"]);
    expect(verdicts(moves, { damage: "lost" })).toEqual([false, "violated"]);
  });
});

describe("where little is known", () => {
  const told = (moves: readonly Move[], more: Partial<Plan>): string => {
    const { fast, detail } = compare(planOf(moves, { losesAny: true, ...more }));
    return fast === "violated" ? detail : fast;
  };
  const read: ZnodeRequest = { op: "getData", path: "/c", watch: false };
  const hidden: ZnodeRequest = { op: "setACL", path: "/a", acl: [], version: -1 };
  const silent = (toOld: boolean, ...meanwhile: ZnodeRequest[]): readonly Move[] => [
    ...ask(read),
    { what: "cut", session: 0, isLost: true, isUntold: true, toOld, meanwhile },
    { what: "serve", session: 0 },
    note,
  ];

  test("an event that none need tell must not come after a reply that shows its change", () => {
    const moves = [...write(hidden), ...ask(addWatch("/c")), note, ...write(set("/c")), ...ask(read), note];
    expect(told(moves, { damage: "none" })).toBe("holds");
    expect(told(moves, { damage: "moved", by: 2 })).toMatch(/came after the reply to getData/);
  });

  test("a request that was lost sets no second watch beside the one that there is", () => {
    const again: ZnodeRequest = { op: "delete", path: "/a/b", version: -1 };
    const both = { op: "multi", operations: [born, again] } as unknown as ZnodeRequest;
    const children = ask(look("getChildren", "/a"));
    const moves = [...children, note, ...children, ...write(both), ...cut([], true)];
    expect(told(moves, { damage: "none" })).toBe("holds");
    expect(told(moves, { damage: "twice" })).toMatch(/had no watch/);
  });

  test("a write that nobody answered is told once", () => {
    const lost: readonly Move[] = [
      { what: "ask", session: 1, request: set("/c") },
      { what: "serve", session: 1 },
      { what: "cut", session: 1, isLost: true, toOld: false, meanwhile: [] },
    ];
    const moves = [...ask(addWatch("/c")), note, ...lost, apply, ...ask(read), note];
    expect(told(moves, { damage: "none" })).toBe("holds");
    expect(told(moves, { damage: "twice" })).toMatch(/once more than the change was made/);
  });

  test("a connection of which nobody says that it is gone takes its watches along", () => {
    const moves = [...ask(addWatch("/c")), note, ...silent(false, set("/c")), ...ask(read), note];
    expect(told(moves, { damage: "none" })).toBe("holds");
  });

  test("a connection of which nobody says that it is gone may have been to a server that tells no zxids", () => {
    const moves = [
      ...[...ask(addWatch("/a")), note, ...write(born)],
      ...[...silent(false), ...write({ op: "delete", path: "/a/b", version: -1 }), ...ask(read), note],
    ];
    const whole = compare(planOf(moves, { startsOld: true, losesAny: true, damage: "none" }));
    const told = whole.events.filter(({ process }) => process === "watches");
    expect(told.map(({ zxid }) => zxid !== undefined)).toEqual([false, true]);
    expect([whole.fast, whole.detail]).toEqual(["holds", whole.detail]);
  });

  test("a watch that was removed tells nothing more, even if it was not known to be there", () => {
    const remove: ZnodeRequest = { op: "removeWatches", path: "/c", kind: "any" };
    const moves: readonly Move[] = [
      { what: "ask", session: 1, request: addWatch("/c") },
      { what: "serve", session: 1 },
      ...[...ask(addWatch("/c")), note, ...silent(true), ...ask(remove), note],
      ...[...write(set("/c")), { what: "apply", session: 1 } as const],
    ];
    const plan = planOf(moves, { startsOld: true, losesAny: true, damage: "none" });
    expect(compare(plan).fast).toBe("holds");
    // What the other session is told.
    const { fast, detail } = compare(plan, (event) =>
      event.process === "watches"
        ? { ...event, session: "0x100", value: { ...(event.value as object), session: "0x100" } }
        : event,
    );
    expect([fast, detail]).toEqual(["violated", expect.stringMatching(/had no watch/)]);
  });
});

test("the plans that fast-check draws leave something to watch", () => {
  const drawn = fc.sample(plan, 300).map((each) => compare({ ...each, damage: "none" }));
  expect(
    drawn.filter(({ events }) => events.some(({ process }) => process === "watches")).length,
  ).toBeGreaterThan(100);
  for (const { legal, fast } of drawn) expect([legal, fast]).toEqual([true, "holds"]);
});
