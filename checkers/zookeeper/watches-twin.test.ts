import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Event,
  HistoryBuilder,
  isWrite,
  parentPath,
  parseWatchEvent,
  RequestPreparation,
  sessionEventDraft,
  watchesProcess,
  type WatchEvent,
  watchEventDraft,
  type WatchEventType,
  type WriteRequest,
  type ZnodeAnswer,
  znodeCompletion,
  znodeInvocation,
  type ZnodeRequest,
  ZnodeServer,
  type Zxid,
} from "../../model/index.ts";
import { replayHistory } from "./replay.ts";
import { readHistory, type Step } from "./steps.ts";
import { checkWatches, missedChanges, type MissedChanges } from "./watches.ts";

/*
 * The slow twin of checkWatches: one session of which every way is tried in which its server may have answered, as the
 * history has an answer when it was noted, which may be later. The server tells all changes up to an answer or an event
 * before it, each once for all watches on it, and nothing else. With the connection go its watches; those set again
 * tell what has changed since the zxid that they name, each for itself, before that is answered.
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
  | { readonly what: "call" | "note"; readonly step: Step }
  | { readonly what: "event"; readonly told: Told }
  | { readonly what: "cut" };

/** A request without an answer; a setWatches that the server has taken up has yet to tell what was missed. */
interface Open {
  readonly step: Step;
  readonly isTakenUp: boolean;
}

/** Of an event that tells what was missed: at which zxid is not known. */
const unknownZxid = -1;

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

interface Node {
  mzxid: Zxid;
  pzxid: Zxid;
}

/** The nodes that there are at a zxid. */
function nodesAt(zxid: Zxid, changes: readonly Told[]): ReadonlyMap<string, Node> {
  const nodes = new Map<string, Node>();
  for (const change of changes) {
    if (change.zxid > zxid) break;
    const node = nodes.get(change.path);
    if (change.type === "NodeCreated") nodes.set(change.path, { mzxid: change.zxid, pzxid: change.zxid });
    else if (change.type === "NodeDeleted") nodes.delete(change.path);
    else if (node !== undefined) node[change.type === "NodeDataChanged" ? "mzxid" : "pzxid"] = change.zxid;
  }
  return nodes;
}

/** The connection once the server has taken up a setWatches: it has to tell what was missed. */
function takenUp(from: Connection, step: Step, changes: readonly Told[]): Connection | undefined {
  const now = advance(from, step.zxid, changes);
  if (now === undefined || now.pending.length > 0) return undefined;
  const nodes = nodesAt(step.zxid, changes);
  const relative = step.request["relativeZxid"] as number;
  const paths = (name: string): readonly string[] => step.request[name] as readonly string[];
  const pending: Told[] = [];
  const watches = new Set(now.watches);
  const tell = (type: WatchEventType, path: string): unknown =>
    pending.push({ type, path, zxid: unknownZxid });
  for (const path of paths("data")) {
    const node = nodes.get(path);
    if (node === undefined) tell("NodeDeleted", path);
    else if (node.mzxid > relative) tell("NodeDataChanged", path);
    else watches.add(`data ${path}`);
  }
  for (const path of paths("exists")) {
    if (nodes.has(path)) tell("NodeCreated", path);
    else watches.add(`data ${path}`);
  }
  for (const path of paths("children")) {
    const node = nodes.get(path);
    if (node === undefined) tell("NodeDeleted", path);
    else if (node.pzxid > relative) tell("NodeChildrenChanged", path);
    else watches.add(`children ${path}`);
  }
  for (const path of paths("persistent")) watches.add(`persistent ${path}`);
  for (const path of paths("persistentRecursive")) watches.add(`recursive ${path}`);
  return { zxid: now.zxid, watches: [...watches], pending };
}

function told(from: Connection, event: Told, changes: readonly Told[]): Connection | undefined {
  const now = event.zxid === unknownZxid ? from : advance(from, event.zxid, changes);
  const isTold = ({ type, path, zxid }: Told): boolean =>
    type === event.type && path === event.path && (zxid === unknownZxid) === (event.zxid === unknownZxid);
  const at = now?.pending.findIndex(isTold) ?? -1;
  return now === undefined || at === -1 ? undefined : { ...now, pending: now.pending.toSpliced(at, 1) };
}

function isLegal(events: readonly Event[]): boolean {
  const { steps } = readHistory(events);
  const changes = changesOf(steps);
  const own = steps.filter((step) => step.session === session);
  const items = events.flatMap((event): Item[] => {
    const watch = parseWatchEvent(event);
    if (watch !== undefined) return [{ what: "event", told: watch }];
    if (event.f === "disconnect") return [{ what: "cut" }];
    return own.flatMap((step): Item[] => {
      if (event === step.invocation) return [{ what: "call", step }];
      return event === step.completion ? [{ what: "note", step }] : [];
    });
  });
  /** What may have happened to the request meanwhile. */
  const silently = (at: number, now: Connection, open: Open): boolean => {
    const { step, isTakenUp } = open;
    if (step.op !== "setWatches") return goesOn(at, answered(now, step, changes), undefined);
    if (isTakenUp) return now.pending.length === 0 && goesOn(at, now, undefined);
    return goesOn(at, takenUp(now, step, changes), { step, isTakenUp: true });
  };
  const goesOn = (at: number, now: Connection | undefined, open: Open | undefined): boolean => {
    if (now === undefined) return false;
    const item = items[at];
    if (item === undefined) return true;
    if (open !== undefined && silently(at, now, open)) return true;
    if (item.what === "cut") return goesOn(at + 1, fresh, undefined);
    if (item.what === "call") return goesOn(at + 1, now, { step: item.step, isTakenUp: false });
    if (item.what === "event") return goesOn(at + 1, told(now, item.told, changes), open);
    return open === undefined && goesOn(at + 1, now, undefined);
  };
  return goesOn(0, fresh, undefined);
}

const fresh: Connection = { zxid: 0, watches: [], pending: [] };

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
    /** The session loses its connection before; meanwhile others write this. It sets its watches again. */
    cut: fc.option(fc.array(write, { maxLength: 3 }), { freq: 4 }),
  }),
  { maxLength: 14 },
);

type Moves = typeof moves extends fc.Arbitrary<infer List> ? List : never;

/** What a client knows of its watches: those that it will set again after a reconnection. */
class ClientWatches {
  readonly #paths = {
    data: new Set<string>(),
    exists: new Set<string>(),
    children: new Set<string>(),
    persistent: new Set<string>(),
    persistentRecursive: new Set<string>(),
  };
  #newest: Zxid = 0;

  answered(request: ZnodeRequest, { error, zxid }: ZnodeAnswer): void {
    this.#newest = Math.max(this.#newest, zxid);
    if (request.op === "addWatch")
      this.#paths[request.mode === "persistent" ? "persistent" : "persistentRecursive"].add(request.path);
    if (!("watch" in request) || request.watch !== true) return;
    if (error === null) this.#paths[request.op === "getChildren" ? "children" : "data"].add(request.path);
    else if (request.op === "exists") this.#paths.exists.add(request.path);
  }

  told({ type, path }: WatchEvent): void {
    const { data, exists, children } = this.#paths;
    if (type !== "NodeChildrenChanged") for (const paths of [data, exists]) paths.delete(path);
    if (type === "NodeChildrenChanged" || type === "NodeDeleted") children.delete(path);
  }

  setAgain(): ZnodeRequest {
    const { data, exists, children, persistent, persistentRecursive } = this.#paths;
    return {
      op: "setWatches",
      relativeZxid: this.#newest,
      data: [...data],
      exists: [...exists],
      children: [...children],
      persistent: [...persistent],
      persistentRecursive: [...persistentRecursive],
    };
  }
}

/** What a watching session and a writing one do on one server, which tells watches at once. */
function historyOf(list: Moves): readonly Event[] {
  const builder = new HistoryBuilder();
  const where = { session, server: "server-1" };
  const server = new ZnodeServer<string>({
    deliver: (_, event) => {
      builder.add(watchEventDraft(event, { ...where, process: 1 }));
      watches.told(event);
    },
  });
  const watches = new ClientWatches();
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
    if (name === session) watches.answered(request, answer);
  };
  for (const path of ["/a", "/c"]) act(2, { op: "create", path, data: "", mode: "persistent" });
  for (const { own, isOwn, other, late, cut } of list) {
    if (cut !== null) {
      server.disconnect(session);
      builder.add(sessionEventDraft({ f: "disconnect", ...where, process: 1, reason: "lost" }));
      cut.forEach((request) => act(2, request));
      act(1, watches.setAgain(), () => late.forEach((request) => act(2, request)));
    }
    if (isOwn) act(1, own, () => late.forEach((request) => act(2, request)));
    else act(2, other);
  }
  return builder.events;
}

const addWatch = (path: string): ZnodeRequest => ({ op: "addWatch", path, mode: "persistent" });
const gone: ZnodeRequest = { op: "delete", path: "/c", version: -1 };
const born: ZnodeRequest = { op: "create", path: "/a/b", data: "", mode: "persistent" };

/** The watch on /c tells nothing, and then the one on /a tells of a later change. */
const leftBeforeAnEvent: Moves = [
  { own: addWatch("/a"), isOwn: true, other: gone, late: [], cut: null },
  { own: addWatch("/c"), isOwn: true, other: gone, late: [gone], cut: null },
  { own: gone, isOwn: false, other: born, late: [], cut: null },
];

const look = (op: "getData" | "getChildren", path: string): ZnodeRequest => ({ op, path, watch: true });

/** Both watches on /c have missed that it went, and each is told so. */
const toldForEachWatch: Moves = [
  { own: look("getData", "/c"), isOwn: true, other: gone, late: [], cut: null },
  { own: look("getChildren", "/c"), isOwn: true, other: gone, late: [], cut: null },
  { own: look("getData", "/a"), isOwn: true, other: gone, late: [], cut: [gone] },
];

/** The persistent watch on /a is set again beside a one-shot one, which alone is told what it has missed. */
const toldBesideAPersistentWatch: Moves = [
  { own: addWatch("/a"), isOwn: true, other: gone, late: [], cut: null },
  { own: look("getChildren", "/a"), isOwn: true, other: gone, late: [], cut: null },
  { own: look("getData", "/c"), isOwn: true, other: gone, late: [gone], cut: [born] },
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

/** Whether an event that tells what was missed came twice or at another time. */
function isOfUnknownZxid(events: readonly Event[], damage: Damage, which: number): boolean {
  const all = events.filter(({ process }) => process === watchesProcess);
  const one = all[which % Math.max(1, all.length)];
  return (damage === "twice" || damage === "moved") && one !== undefined && one.zxid === undefined;
}

test("watches are judged as by trying every way in which the server may have answered", () => {
  const seen = new Map<string, number>();
  let missed = 0;
  const note = (what: string): unknown => seen.set(what, (seen.get(what) ?? 0) + 1);
  const damages = fc.constantFrom<Damage>("none", "lost", "twice", "moved", "elsewhere");
  const examples: [Moves, Damage, number, number][] = [
    [leftBeforeAnEvent, "lost", 0, 0],
    [toldForEachWatch, "none", 0, 0],
    [toldForEachWatch, "lost", 0, 0],
    [toldBesideAPersistentWatch, "none", 0, 0],
    [toldBesideAPersistentWatch, "lost", 0, 0],
  ];
  fc.assert(
    fc.property(moves, damages, fc.nat(20), fc.integer({ min: -4, max: 4 }), (list, damage, which, by) => {
      const whole = historyOf(list);
      const again: MissedChanges[] = [];
      const { changes } = replayHistory(readHistory(whole), {
        wants: () => true,
        look: (step, tree) => {
          if (step.op === "setWatches") again.push(missedChanges(step, tree));
        },
      });
      const events = damaged(whole, damage, which, by);
      const history = readHistory(events);
      const setting = history.steps.filter(({ op }) => op === "setWatches");
      const missing = new Map(setting.map((step, i) => [step, again[i] as MissedChanges]));
      const fast = checkWatches(history, changes, missing).verdict("", "").verdict;
      const isAboutMissed = events.some(
        ({ process, zxid }) => process === watchesProcess && zxid === undefined,
      );
      const isRecursive = events.some(
        ({ f, value }) => f === "addWatch" && JSON.stringify(value).includes("recursive"),
      );
      const legal = isLegal(events);
      if (damage === "none") expect(legal).toBe(true);
      if (legal) expect(fast).toBe("holds");
      // Of recursive watches it is not asked that they tell everything. An event of an unknown zxid may be that of an
      // old server, which never tells zxids, at any time.
      else if (fast !== "violated" && !isRecursive && !isOfUnknownZxid(whole, damage, which)) missed++;
      note(`${damage} ${fast}`);
      if (isAboutMissed) note(`missed ${damage} ${fast}`);
    }),
    { numRuns: 800, seed: 3, examples },
  );
  expect(seen.get("none holds")).toBeGreaterThan(100);
  for (const damage of ["lost", "twice", "moved", "elsewhere"])
    expect([damage, (seen.get(`${damage} violated`) ?? 0) > 5]).toEqual([damage, true]);
  expect(seen.get("missed none holds")).toBeGreaterThan(10);
  expect(seen.get("missed lost violated")).toBeGreaterThan(2);
  // Answers noted late, while a persistent watch is set again, leave room that only trying all ways excludes;
  // it takes some thousand histories to meet one.
  expect(missed).toBe(0);
});
