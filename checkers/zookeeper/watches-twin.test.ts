import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Event,
  HistoryBuilder,
  isWrite,
  parentPath,
  parseWatchEvent,
  RequestPreparation,
  watchesProcess,
  watchEventDraft,
  type WatchEventType,
  type WriteRequest,
  znodeCompletion,
  znodeInvocation,
  type ZnodeRequest,
  ZnodeServer,
  type Zxid,
} from "../../model/index.ts";
import { replayHistory } from "./replay.ts";
import { readHistory, type Step } from "./steps.ts";
import { checkWatches } from "./watches.ts";

/*
 * The slow twin of checkWatches: one connection of which every way is tried in which its server may have answered, as
 * the history has an answer when it was noted, which may be later. The server tells all changes up to an answer or an
 * event before it, each once for all watches on it, and nothing else.
 */
interface Told {
  readonly type: WatchEventType;
  readonly path: string;
  readonly zxid: Zxid;
}

interface Connection {
  readonly zxid: Zxid;
  readonly watches: readonly string[];
  /** Fired by the change at `zxid`, not told yet. */
  readonly pending: readonly Told[];
}

type Item =
  { readonly what: "call" | "note"; readonly step: Step } | { readonly what: "event"; readonly told: Told };

const session = "0x1";

function changesOf(steps: readonly Step[]): Told[] {
  const changes = steps.flatMap((step): Told[] => {
    const { op, path, zxid } = step;
    if (!step.isWrite || step.outcome !== "ok") return [];
    if (op === "setData") return [{ type: "NodeDataChanged", path, zxid }];
    const parent: Told = { type: "NodeChildrenChanged", path: parentPath(path), zxid };
    return [{ type: op === "create" ? "NodeCreated" : "NodeDeleted", path, zxid }, parent];
  });
  return changes.sort((a, b) => a.zxid - b.zxid);
}

/** The watches that a change fires, by kind and path. */
function firedBy({ type, path }: Told, watches: readonly string[]): readonly string[] {
  const isFired = (watch: string): boolean => {
    const [kind, at] = watch.split(" ");
    if (kind === "recursive")
      return type !== "NodeChildrenChanged" && (at === path || path.startsWith(at === "/" ? "/" : `${at}/`));
    if (at !== path) return false;
    if (kind === "data") return type !== "NodeChildrenChanged";
    return kind === "persistent" || type === "NodeChildrenChanged" || type === "NodeDeleted";
  };
  return watches.filter(isFired);
}

/** The connection once all changes up to a zxid are made; undefined where one before it should have been told. */
function advance(from: Connection, zxid: Zxid, changes: readonly Told[]): Connection | undefined {
  if (zxid < from.zxid) return undefined;
  let watches = from.watches;
  const pending = [...from.pending];
  for (const change of changes) {
    if (change.zxid <= from.zxid || change.zxid > zxid) continue;
    const fired = firedBy(change, watches);
    if (fired.length === 0) continue;
    pending.push(change);
    watches = watches.filter((watch) => !fired.includes(watch) || /^(persistent|recursive)/.test(watch));
  }
  return pending.some((told) => told.zxid < zxid) ? undefined : { zxid, watches, pending };
}

function answered(from: Connection, step: Step, changes: readonly Told[]): Connection | undefined {
  const now = advance(from, step.zxid, changes);
  if (now === undefined || now.pending.length > 0) return undefined;
  const isSet = step.outcome === "ok" || (step.op === "exists" && step.error === "NoNode");
  if (!step.setsWatches || !isSet) return now;
  const persistent = step.request["mode"] === "persistent" ? "persistent" : "recursive";
  const kind = step.op === "addWatch" ? persistent : step.op === "getChildren" ? "children" : "data";
  return { ...now, watches: [...new Set([...now.watches, `${kind} ${step.path}`])] };
}

function told(from: Connection, event: Told, changes: readonly Told[]): Connection | undefined {
  const now = advance(from, event.zxid, changes);
  const at = now?.pending.findIndex(({ type, path }) => type === event.type && path === event.path) ?? -1;
  return now === undefined || at === -1 ? undefined : { ...now, pending: now.pending.toSpliced(at, 1) };
}

function isLegal(events: readonly Event[]): boolean {
  const { steps } = readHistory(events);
  const changes = changesOf(steps);
  const own = steps.filter((step) => step.session === session);
  const items = events.flatMap((event): Item[] => {
    const watch = parseWatchEvent(event);
    if (watch !== undefined) return [{ what: "event", told: watch }];
    return own.flatMap((step): Item[] => {
      if (event === step.invocation) return [{ what: "call", step }];
      return event === step.completion ? [{ what: "note", step }] : [];
    });
  });
  const goesOn = (at: number, now: Connection | undefined, open: Step | undefined): boolean => {
    if (now === undefined) return false;
    const item = items[at];
    if (item === undefined) return true;
    if (open !== undefined && goesOn(at, answered(now, open, changes), undefined)) return true;
    if (item.what === "call") return goesOn(at + 1, now, item.step);
    if (item.what === "event") return goesOn(at + 1, told(now, item.told, changes), open);
    return open === undefined && goesOn(at + 1, now, undefined);
  };
  return goesOn(0, { zxid: 0, watches: [], pending: [] }, undefined);
}

const paths = fc.constantFrom("/a", "/a/b", "/c");
const write = fc.oneof(
  paths.map((path): ZnodeRequest => ({ op: "setData", path, data: "x", version: -1 })),
  paths.map((path): ZnodeRequest => ({ op: "create", path, data: "", mode: "persistent" })),
  paths.map((path): ZnodeRequest => ({ op: "delete", path, version: -1 })),
);
const watching = fc.tuple(fc.boolean(), paths, fc.nat(9)).map(([watch, path, kind]): ZnodeRequest => {
  if (kind === 0) return { op: "addWatch", path, mode: "persistent" };
  if (kind === 1) return { op: "addWatch", path, mode: "persistent-recursive" };
  return { op: (["getData", "exists", "getChildren"] as const)[kind % 3] as "exists", path, watch };
});
const moves = fc.array(
  fc.record({
    own: fc.oneof({ weight: 3, arbitrary: watching }, { weight: 1, arbitrary: write }),
    isOwn: fc.boolean(),
    other: write,
    /** What somebody else writes between the answer and its note. */
    late: fc.array(write, { maxLength: 2 }),
  }),
  { maxLength: 14 },
);

/** What a watching session and a writing one do on one server, which tells watches at once. */
function historyOf(list: typeof moves extends fc.Arbitrary<infer Moves> ? Moves : never): readonly Event[] {
  const builder = new HistoryBuilder();
  const where = { session, server: "server-1" };
  const server = new ZnodeServer<string>({
    deliver: (_, event) => builder.add(watchEventDraft(event, { ...where, process: 1 })),
  });
  const leader = new RequestPreparation(server.tree, { checkSessions: false });
  let [zxid, xid] = [0, 0];
  const act = (process: number, request: ZnodeRequest, before: () => void = () => {}): void => {
    const name = `0x${process}`;
    builder.add({ ...znodeInvocation(process, request), session: name });
    let answer;
    if (isWrite(request)) {
      const header = { session: name, cxid: 0, zxid: ++zxid, timeMs: 0 };
      answer = server.apply(header, leader.prepare(header, request as WriteRequest));
      leader.applied(zxid);
    } else answer = server.answer(request as never, name);
    before();
    const outcome = { outcome: "answered", answer, xid: ++xid } as const;
    builder.add(znodeCompletion(process, request, outcome, { ...where, session: name }));
  };
  for (const path of ["/a", "/c"]) act(2, { op: "create", path, data: "", mode: "persistent" });
  for (const { own, isOwn, other, late } of list) {
    if (isOwn) act(1, own, () => late.forEach((request) => act(2, request)));
    else act(2, other);
  }
  return builder.events;
}

const addWatch = (path: string): ZnodeRequest => ({ op: "addWatch", path, mode: "persistent" });
const gone: ZnodeRequest = { op: "delete", path: "/c", version: -1 };
const born: ZnodeRequest = { op: "create", path: "/a/b", data: "", mode: "persistent" };

/** The watch on /c tells nothing, and then the one on /a tells of a later change. */
const leftBeforeAnEvent = [
  { own: addWatch("/a"), isOwn: true, other: gone, late: [] },
  { own: addWatch("/c"), isOwn: true, other: gone, late: [gone] },
  { own: gone, isOwn: false, other: born, late: [] },
];

type Damage = "none" | "lost" | "twice" | "moved" | "elsewhere";

/** The history with one watch event lost, told twice, at another time, or of another path. */
function damaged(events: readonly Event[], damage: Damage, which: number, by: number): readonly Event[] {
  const all = events.filter(({ process }) => process === watchesProcess);
  const one = all[which % Math.max(1, all.length)];
  if (one === undefined || damage === "none") return events;
  const at = events.indexOf(one);
  const rest = damage === "twice" ? [...events] : events.toSpliced(at, 1);
  const value = one.value as { readonly path: string };
  const changed = damage === "elsewhere" ? { ...one, value: { ...value, path: "/nobody" } } : one;
  const place = damage === "elsewhere" ? at : Math.max(0, at + by);
  const list = damage === "lost" ? rest : rest.toSpliced(place, 0, changed);
  return list.map((event, index) => ({ ...event, index, time: index }));
}

test("watches are judged as by trying every way in which the server may have answered", () => {
  const seen = new Map<string, number>();
  let missed = 0;
  const note = (what: string): unknown => seen.set(what, (seen.get(what) ?? 0) + 1);
  const damages = fc.constantFrom<Damage>("none", "lost", "twice", "moved", "elsewhere");
  fc.assert(
    fc.property(moves, damages, fc.nat(20), fc.integer({ min: -4, max: 4 }), (list, damage, which, by) => {
      const whole = historyOf(list);
      const { changes } = replayHistory(readHistory(whole), { wants: () => true });
      const events = damaged(whole, damage, which, by);
      const fast = checkWatches(readHistory(events), changes, new Map()).verdict("", "").verdict;
      const isRecursive = events.some(
        ({ f, value }) => f === "addWatch" && JSON.stringify(value).includes("recursive"),
      );
      const legal = isLegal(events);
      if (damage === "none") expect(legal).toBe(true);
      if (legal) expect(fast).toBe("holds");
      // Of recursive watches it is not asked that they tell everything.
      else if (fast !== "violated" && !isRecursive) missed++;
      note(`${damage} ${fast}`);
    }),
    { numRuns: 800, seed: 3, examples: [[leftBeforeAnEvent, "lost", 0, 0]] },
  );
  expect(seen.get("none holds")).toBeGreaterThan(100);
  for (const damage of ["lost", "twice", "moved", "elsewhere"])
    expect([damage, (seen.get(`${damage} violated`) ?? 0) > 5]).toEqual([damage, true]);
  // Answers noted late, while a persistent watch is set again, leave room that only trying all ways excludes;
  // it takes some thousand histories to meet one.
  expect(missed).toBe(0);
});
