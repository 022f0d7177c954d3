import {
  type Event,
  parentPath,
  parseSessionEvent,
  parseWatchEvent,
  type WatcherKind,
  type WatchEventType,
  type Zxid,
} from "../../model/index.ts";
import { readHistory } from "./history/intake.ts";
import type { Step } from "./history/steps.ts";

/*
 * The slow twin of checkWatches: each session's connections are gone through, and every way is tried in which the server
 * may have answered, as the history has an answer when it was noted, which may be later. A server applies transactions,
 * takes up the requests of the connection in their order, and sends what they fire and what it answers in that order. An
 * answer shows the tree at its zxid; a request without an answer may have been taken up at any zxid, or never. With the
 * connection go its watches; those set again tell what has changed since the zxid that they name, each for itself, before
 * that is answered. A server is either one that tells the zxids of events, or one (before 3.9) that tells none, and on
 * which the modes of a connection's watches of a path replace each other.
 */
interface Told {
  readonly type: WatchEventType;
  readonly path: string;
  readonly zxid: Zxid;
}

type Manager = "data" | "child";

interface Watch {
  readonly manager: Manager;
  readonly mode: "standard" | "persistent" | "recursive";
  readonly path: string;
}

interface Connection {
  readonly isOld: boolean;
  readonly zxid: Zxid;
  readonly watches: readonly Watch[];
  /** Fired by the changes at `zxid`, or missed, and not told yet; those of one path are told in their order. */
  readonly pending: readonly Told[];
}

type Item =
  | { readonly what: "call" | "note" | "loss"; readonly step: Step }
  | { readonly what: "event"; readonly told: Told }
  | { readonly what: "cut" };

/** A request without a reply; a setWatches that the server has taken up has yet to tell what was missed. */
interface Open {
  readonly step: Step;
  readonly isTakenUp: boolean;
}

/** Of an event that tells what was missed, or of a server that tells no zxids. */
const unknownZxid = -1;

/** One thing that happened to the tree; a creation and a deletion also change the parent's children. */
interface Change {
  readonly type: Exclude<WatchEventType, "NodeChildrenChanged">;
  readonly path: string;
  readonly zxid: Zxid;
}

function changesOf(steps: readonly Step[]): Change[] {
  const writes = steps.filter(({ isWrite, outcome }) => isWrite && outcome === "ok");
  writes.sort((a, b) => a.zxid - b.zxid);
  const changes: Change[] = [];
  const owners = new Map<string, string>();
  const make = (op: string, path: string, mode: unknown, { zxid, session }: Step): void => {
    if (op === "setData") changes.push({ type: "NodeDataChanged", path, zxid });
    if (op === "create") changes.push({ type: "NodeCreated", path, zxid });
    if (op === "delete") changes.push({ type: "NodeDeleted", path, zxid });
    if (op === "delete") owners.delete(path);
    if (op === "create" && String(mode).startsWith("ephemeral")) owners.set(path, session);
  };
  for (const step of writes) {
    const { op, path, created, session, mode } = step;
    if (op === "closeSession") {
      for (const [each, owner] of owners) if (owner === session) make("delete", each, undefined, step);
    } else if (op === "multi") {
      const results = step.results ?? [];
      step.operations.forEach((part, i) => {
        const result = results[i];
        const at = result?.op === "create" ? result.path : part.path;
        make(part.op, at, "mode" in part ? part.mode : undefined, step);
      });
    } else make(op, op === "create" ? created : path, mode, step);
  }
  return changes;
}

/** The watches of a manager that such an event fires. */
function firedBy(
  watches: readonly Watch[],
  manager: Manager,
  type: WatchEventType,
  path: string,
): readonly Watch[] {
  return watches.filter((watch) => {
    if (watch.manager !== manager) return false;
    if (watch.mode !== "recursive") return watch.path === path;
    const isBelow = watch.path === path || path.startsWith(watch.path === "/" ? "/" : `${watch.path}/`);
    return isBelow && type !== "NodeChildrenChanged";
  });
}

/** The connection once all changes up to a zxid are made; undefined where one before it should have been told. */
function advance(from: Connection, zxid: Zxid, changes: readonly Change[]): Connection | undefined {
  if (zxid < from.zxid) return undefined;
  let watches = from.watches;
  const pending = [...from.pending];
  const trigger = (managers: readonly Manager[], type: WatchEventType, path: string, at: Zxid): void => {
    const fired = managers.flatMap((manager) => firedBy(watches, manager, type, path));
    if (fired.length > 0) pending.push({ type, path, zxid: at });
    watches = watches.filter((watch) => watch.mode !== "standard" || !fired.includes(watch));
  };
  for (const change of changes) {
    const { type, path } = change;
    if (change.zxid <= from.zxid || change.zxid > zxid) continue;
    trigger(type === "NodeDeleted" ? ["data", "child"] : ["data"], type, path, change.zxid);
    if (type !== "NodeDataChanged") trigger(["child"], "NodeChildrenChanged", parentPath(path), change.zxid);
  }
  return pending.some((told) => told.zxid < zxid) ? undefined : { ...from, zxid, watches, pending };
}

function add(watches: readonly Watch[], isOld: boolean, watch: Watch): readonly Watch[] {
  const isReplaced = (each: Watch): boolean =>
    each.manager === watch.manager && each.path === watch.path && (isOld || each.mode === watch.mode);
  return [...watches.filter((each) => !isReplaced(each)), watch];
}

function addLasting(watches: readonly Watch[], isOld: boolean, mode: string, path: string): readonly Watch[] {
  if (mode === "persistent") {
    const data = add(watches, isOld, { manager: "data", mode: "persistent", path });
    return add(data, isOld, { manager: "child", mode: "persistent", path });
  }
  const data = add(watches, isOld, { manager: "data", mode: "recursive", path });
  return isOld ? add(data, isOld, { manager: "child", mode: "recursive", path }) : data;
}

function withoutRemoved(watches: readonly Watch[], isOld: boolean, step: Step): readonly Watch[] {
  const kind = step.request["kind"] as WatcherKind;
  const isRemoved = ({ manager, mode, path }: Watch): boolean => {
    if (path !== step.path) return false;
    if (kind === "any") return true;
    return manager === (kind === "data" ? "data" : "child") && (isOld || mode === "standard");
  };
  return watches.filter((watch) => !isRemoved(watch));
}

/** The connection once the server has answered at `zxid`; with `found` the request found what it was about. */
function answeredAt(
  from: Connection,
  step: Step,
  zxid: Zxid,
  found: boolean,
  changes: readonly Change[],
): Connection | undefined {
  const now = advance(from, zxid, changes);
  if (now === undefined || now.pending.length > 0) return undefined;
  const { watches, isOld } = now;
  const { op, path } = step;
  if (op === "removeWatches") return found ? { ...now, watches: withoutRemoved(watches, isOld, step) } : now;
  if (!step.setsWatches || !(found || op === "exists")) return now;
  if (op === "addWatch")
    return { ...now, watches: addLasting(watches, isOld, step.request["mode"] as string, path) };
  const manager = op === "getChildren" ? "child" : "data";
  return { ...now, watches: add(watches, isOld, { manager, mode: "standard", path }) };
}

interface Node {
  mzxid: Zxid;
  pzxid: Zxid;
}

/** The nodes that there are at a zxid. */
function nodesAt(zxid: Zxid, changes: readonly Change[]): ReadonlyMap<string, Node> {
  const nodes = new Map<string, Node>();
  for (const change of changes) {
    if (change.zxid > zxid) break;
    const { type, path } = change;
    const node = nodes.get(path);
    if (type === "NodeCreated") nodes.set(path, { mzxid: change.zxid, pzxid: change.zxid });
    else if (type === "NodeDeleted") nodes.delete(path);
    else if (node !== undefined) node.mzxid = change.zxid;
    const parent = nodes.get(parentPath(path));
    if (type !== "NodeDataChanged" && parent !== undefined) parent.pzxid = change.zxid;
  }
  return nodes;
}

/** The connection once the server has taken up a setWatches: it has to tell what was missed. */
function takenUp(from: Connection, step: Step, changes: readonly Change[]): Connection | undefined {
  const now = advance(from, step.zxid, changes);
  if (now === undefined || now.pending.length > 0) return undefined;
  const { isOld } = now;
  const nodes = nodesAt(step.zxid, changes);
  const relative = step.request["relativeZxid"] as number;
  const paths = (name: string): readonly string[] => step.request[name] as readonly string[];
  const pending: Told[] = [];
  let watches = now.watches;
  const tell = (type: WatchEventType, path: string): unknown =>
    pending.push({ type, path, zxid: unknownZxid });
  const watch = (manager: Manager, path: string): void => {
    watches = add(watches, isOld, { manager, mode: "standard", path });
  };
  for (const path of paths("data")) {
    const node = nodes.get(path);
    if (node === undefined) tell("NodeDeleted", path);
    else if (node.mzxid > relative) tell("NodeDataChanged", path);
    else watch("data", path);
  }
  for (const path of paths("exists")) {
    if (nodes.has(path)) tell("NodeCreated", path);
    else watch("data", path);
  }
  for (const path of paths("children")) {
    const node = nodes.get(path);
    if (node === undefined) tell("NodeDeleted", path);
    else if (node.pzxid > relative) tell("NodeChildrenChanged", path);
    else watch("child", path);
  }
  for (const path of paths("persistent")) watches = addLasting(watches, isOld, "persistent", path);
  for (const path of paths("persistentRecursive")) watches = addLasting(watches, isOld, "recursive", path);
  return { ...now, watches, pending };
}

/** The connection once the next event is told, in each way in which it can be. */
function told(from: Connection, event: Told, changes: readonly Change[]): readonly Connection[] {
  const isMissed = event.zxid === unknownZxid && from.pending.some(({ zxid }) => zxid === unknownZxid);
  const zxids =
    isMissed || event.zxid !== unknownZxid ? [event.zxid] : [from.zxid, ...changes.map(({ zxid }) => zxid)];
  return [...new Set(zxids)].flatMap((zxid) => {
    if (!isMissed && (event.zxid !== unknownZxid) === from.isOld) return [];
    const now = isMissed ? from : advance(from, zxid, changes);
    const first = now?.pending.findIndex(
      ({ path, type }) => path === event.path && (!isMissed || type === event.type),
    );
    if (now === undefined || first === undefined || now.pending[first]?.type !== event.type) return [];
    if ((now.pending[first]?.zxid === unknownZxid) !== isMissed) return [];
    return [{ ...now, pending: now.pending.toSpliced(first, 1) }];
  });
}

/** Whether a server that keeps the promises of watches may have done what the session has seen. */
function isLegalFor(session: string, events: readonly Event[], steps: readonly Step[]): boolean {
  const changes = changesOf(steps);
  const own = new Map<number, Step>();
  for (const step of steps)
    if (step.session === session) own.set(step.invokedAt, step).set(step.completedAt, step);
  const items = events.flatMap((event): Item[] => {
    const watch = parseWatchEvent(event);
    if (watch !== undefined) return watch.session === session ? [{ what: "event", told: watch }] : [];
    if (event.f === "disconnect")
      return parseSessionEvent(event)?.session === session ? [{ what: "cut" }] : [];
    const step = own.get(event.index);
    if (step === undefined) return [];
    if (event.index === step.invokedAt) return [{ what: "call", step }];
    return [{ what: step.isAnswered ? "note" : "loss", step }];
  });
  const fail = new Set<string>();
  /** What may have happened to the first of the open requests meanwhile. */
  const silently = (at: number, now: Connection, [first, ...others]: readonly Open[]): boolean => {
    if (first === undefined) return false;
    const { step, isTakenUp } = first;
    if (!step.isAnswered) return lossesAt(now, step, changes).some((next) => goesOn(at, next, others));
    if (step.op !== "setWatches")
      return goesOn(at, answeredAt(now, step, step.zxid, step.outcome === "ok", changes), others);
    if (isTakenUp) return now.pending.length === 0 && goesOn(at, now, others);
    return goesOn(at, takenUp(now, step, changes), [{ step, isTakenUp: true }, ...others]);
  };
  const goesOn = (at: number, now: Connection | undefined, open: readonly Open[]): boolean => {
    if (now === undefined) return false;
    const key = JSON.stringify([at, now, open.map(({ step, isTakenUp }) => [step.invokedAt, isTakenUp])]);
    if (fail.has(key)) return false;
    const legal = tries(at, now, open);
    if (!legal) fail.add(key);
    return legal;
  };
  const tries = (at: number, now: Connection, open: readonly Open[]): boolean => {
    const item = items[at];
    if (item === undefined) return true;
    if (silently(at, now, open)) return true;
    if (item.what === "cut") return begin(at + 1);
    if (item.what === "call") return goesOn(at + 1, now, [...open, { step: item.step, isTakenUp: false }]);
    if (item.what === "event")
      return told(now, item.told, changes).some((next) => goesOn(at + 1, next, open));
    if (item.what === "loss") return goesOn(at + 1, now, open);
    return open.every(({ step }) => step !== item.step) && goesOn(at + 1, now, open);
  };
  const begin = (at: number): boolean =>
    [false, true].some((isOld) => goesOn(at, { isOld, zxid: 0, watches: [], pending: [] }, []));
  return begin(0);
}

/** Every way in which a request that nobody answered may have been taken up. */
function lossesAt(now: Connection, step: Step, changes: readonly Change[]): readonly Connection[] {
  const zxids = new Set([now.zxid, ...changes.map(({ zxid }) => zxid)]);
  return [...zxids].flatMap((zxid) => {
    const found = step.op === "addWatch" || nodesAt(zxid, changes).has(step.path);
    return answeredAt(now, step, zxid, found, changes) ?? [];
  });
}

/** Whether what every session has seen may have happened on servers that keep the promises of watches. */
export function isLegal(events: readonly Event[]): boolean {
  const { steps } = readHistory(events);
  const sessions = new Set(events.flatMap((event) => parseWatchEvent(event)?.session ?? []));
  for (const { setsWatches, session } of steps) if (setsWatches) sessions.add(session);
  return [...sessions].every((session) => isLegalFor(session, events, steps));
}
