import type { Event, WatcherKind, WatchEventType, Zxid, ZnodeTree } from "../../model/index.ts";
import { PromiseCheck } from "./findings.ts";
import { nameOf, show } from "./real-time.ts";
import type { Change } from "./replay-state.ts";
import type { SessionStep, Step, WatchStep, ZookeeperHistory } from "./steps.ts";
import {
  Connection,
  eventOf,
  firstAfter,
  nextChange,
  type Registration,
  type WatchKind,
} from "./watch-table.ts";

/** What a setWatches had to tell at once, as the tree was when it was answered: paths by kind of watch. */
export interface MissedChanges {
  readonly data: ReadonlySet<string>;
  readonly children: ReadonlySet<string>;
}

/** What the server tells at once when watches are set again after a reconnection (DataTree.setWatches). */
export function missedChanges(step: Step, tree: ZnodeTree): MissedChanges {
  const relative = step.request["relativeZxid"] as number;
  const list = (name: string): readonly string[] => step.request[name] as readonly string[];
  const changed = (zxid: Zxid | undefined): boolean => zxid === undefined || zxid > relative;
  return {
    data: new Set([
      ...list("data").filter((path) => changed(tree.node(path)?.mzxid)),
      ...list("exists").filter((path) => tree.node(path) !== undefined),
    ]),
    children: new Set(list("children").filter((path) => changed(tree.node(path)?.pzxid))),
  };
}

/**
 * Watches, connection by connection: an event has a watch that it comes from, a one-shot watch fires once, and a
 * persistent one once a change; events
 * come in the order of their changes; a change is told before any reply that shows it; none is left out while the
 * connection lives; and watches set again after a reconnection tell at once what was missed. What a persistent watch
 * misses while disconnected is counted, as ZooKeeper does not tell it.
 *
 * The history has a watch event when it arrived and a reply when it was noted, which may be later; the checks rely on
 * no more than that.
 */
export function checkWatches(
  history: ZookeeperHistory,
  changes: ReadonlyMap<string, readonly Change[]>,
  missed: ReadonlyMap<Step, MissedChanges>,
): PromiseCheck {
  return new WatchCheck(changes, missed, history.usesAcls).run(history);
}

/** Every path that anybody watches. */
export function watchedPaths(history: ZookeeperHistory): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const step of history.watching) for (const [, path] of watchesOf(step)) paths.add(path);
  return paths;
}

class WatchCheck {
  readonly #promise = new PromiseCheck("watches");
  readonly #changes: ReadonlyMap<string, readonly Change[]>;
  readonly #missed: ReadonlyMap<Step, MissedChanges>;
  /** Where ACLs may hide events, none can be demanded. */
  readonly #mayHide: boolean;
  readonly #connections = new Map<string, Connection>();
  /** Watches that may have been set by requests that nobody answered. */
  readonly #uncertain = new Map<string, Set<string>>();

  constructor(
    changes: ReadonlyMap<string, readonly Change[]>,
    missed: ReadonlyMap<Step, MissedChanges>,
    mayHide: boolean,
  ) {
    this.#changes = changes;
    this.#missed = missed;
    this.#mayHide = mayHide;
  }

  run(history: ZookeeperHistory): PromiseCheck {
    tellInOrder(history, {
      invoked: (step) => this.#invoked(step),
      completed: (step) => this.#completed(step),
      told: (watch) => this.#event(watch),
      disconnected: (session) => this.#connections.delete(session),
    });
    return this.#promise;
  }

  #invoked(step: Step): void {
    for (const [kind, path] of watchesOf(step)) {
      const connection = this.#connection(step.session);
      if (connection.get(kind, path) !== undefined) continue;
      connection.set({ kind, path, step, zxid: -1, due: undefined, over: false });
    }
  }

  #completed(step: Step): void {
    if (step.session === "") return;
    if (!step.isAnswered) {
      this.#lost(step);
      return;
    }
    const connection = this.#connection(step.session);
    if (step.op === "removeWatches" && step.outcome === "ok") this.#removed(connection, step);
    if (step.op === "setWatches" && step.outcome === "ok") this.#setAgain(connection, step);
    if (step.zxid > 0 && step.op !== "addAuth") this.#checkReply(connection, step);
    if (step.setsWatches) this.#confirm(connection, step);
  }

  #event(watch: WatchStep): void {
    const { event, type, path, session, zxid } = watch;
    if (type.endsWith("Removed")) return;
    this.#promise.checked();
    const connection = this.#connection(session);
    const reply = connection.newestReply;
    if (zxid > 0 && reply !== undefined && reply.zxid >= zxid) {
      const what = `the event ${type} ${path} of zxid ${show(zxid)} came after the reply to ${nameOf(reply)}`;
      this.#promise.broken(`${what}, which shows zxid ${show(reply.zxid)}`, event, [reply.completion]);
    }
    const before = connection.newestEvent;
    if (zxid > 0 && before !== undefined && zxid < before.zxid) {
      const what = `session ${session} was told of zxid ${show(before.zxid)} at event ${before.index}`;
      this.#promise.broken(`${what}, then of ${show(zxid)} (${type} ${path})`, event);
    }
    if (zxid > 0) {
      if (connection.tell(type, path, zxid) > this.#timesMade(type, path, zxid)) {
        const what = `session ${session} was told ${type} ${path} of zxid ${show(zxid)}`;
        this.#promise.broken(`${what} once more than the change was made`, event);
      }
      connection.newestEvent = { zxid, index: event.index };
      // Events come in the order of their changes, so that all those before this one must have been told.
      this.#leftUpTo(zxid - 1, connection, event);
    }
    this.#fire(connection, watch);
  }

  /** How often a transaction made the change: a multi may more than once. One that is not known counts once. */
  #timesMade(type: WatchEventType, path: string, zxid: Zxid): number {
    const changes = this.#changes.get(path) ?? [];
    let times = 0;
    for (let at = firstAfter(changes, zxid) - 1; changes[at]?.zxid === zxid; at--)
      if (eventOf[(changes[at] as Change).type] === type) times++;
    return Math.max(1, times);
  }

  #connection(session: string): Connection {
    let connection = this.#connections.get(session);
    if (connection === undefined) this.#connections.set(session, (connection = new Connection()));
    return connection;
  }

  /** An operation without an answer is the end of its connection; its watch may have fired before. */
  #lost(step: Step): void {
    for (const [, path] of watchesOf(step)) {
      const paths = this.#uncertain.get(step.session);
      if (paths === undefined) this.#uncertain.set(step.session, new Set([path]));
      else paths.add(path);
    }
    this.#connections.delete(step.session);
  }

  #fire(connection: Connection, { event, type, path, session, zxid }: WatchStep): void {
    const found = connection.matching(type, path);
    if (found.length === 0) {
      if (this.#uncertain.get(session)?.has(path) === true) return;
      const what = `session ${session} was told ${type} ${path}`;
      this.#promise.broken(
        `${what}, for which it had no watch: it was never set, or has fired before`,
        event,
      );
      return;
    }
    const again = zxid > 0 ? undefined : found.find((registration) => this.#isMissed(registration));
    if (again !== undefined) {
      // What was missed is told to each watch for itself, and to no persistent one.
      connection.fire(again, zxid);
      return;
    }
    for (const registration of found) {
      const oneShot = registration.kind === "data" || registration.kind === "children";
      if (zxid > 0 && registration.zxid >= zxid && !this.#isOlderToo(found, zxid)) {
        const what = `session ${session} was told ${type} ${path} of zxid ${show(zxid)}`;
        const set = `by a watch that was set at zxid ${show(registration.zxid)}, when the change had been made`;
        this.#promise.broken(`${what} ${set}`, event, [
          registration.step.invocation,
          registration.step.completion,
        ]);
      }
      if (registration.due !== undefined && zxid > registration.due) this.#left(registration, event);
      if (oneShot) {
        connection.fire(registration, zxid);
        continue;
      }
      connection.noteFired(registration, zxid);
      // Of which change it was nothing is known.
      if (zxid <= 0 && registration.zxid === -1) continue;
      this.#expectAfter(connection, registration, zxid > 0 ? zxid : (registration.due ?? registration.zxid));
    }
  }

  /** Whether the watch is being set again, and what it missed has yet to be told. */
  #isMissed({ kind, path, step, zxid }: Registration): boolean {
    return zxid === -1 && this.#hasMissed(step, kind, path);
  }

  #hasMissed(step: Step, kind: WatchKind, path: string): boolean {
    if (kind !== "data" && kind !== "children") return false;
    return this.#missed.get(step)?.[kind].has(path) === true;
  }

  #isOlderToo(found: readonly Registration[], zxid: Zxid): boolean {
    return found.some((registration) => registration.zxid < zxid);
  }

  /** A persistent watch waits for the change after the one that it has just told. */
  #expectAfter(connection: Connection, registration: Registration, zxid: Zxid): void {
    connection.end(registration);
    const { kind, path, step } = registration;
    const next: Registration = { kind, path, step, zxid: registration.zxid, due: undefined, over: false };
    if (kind === "persistent" && !this.#mayHide)
      next.due = nextChange(this.#changes.get(path), kind, zxid)?.zxid;
    connection.set(next);
  }

  #confirm(connection: Connection, step: Step): void {
    for (const [kind, path] of watchesOf(step)) {
      const open = connection.get(kind, path);
      // It told what it missed, and with that it was over.
      if (this.#hasMissed(step, kind, path)) continue;
      if (!isSet(step, kind)) {
        if (open?.step === step && open.zxid === -1) connection.end(open);
        continue;
      }
      // An event noted while the request was open came from an older watch, or from this one before its reply was noted.
      const last = connection.firedAt(kind, path);
      const isLasting = kind === "persistent" || kind === "recursive";
      const fired = isLasting ? (last ?? 0) : open === undefined ? (last ?? -1) : 0;
      if (fired > step.zxid && !isLasting) continue;
      const due =
        this.#mayHide || fired === -1
          ? undefined
          : nextChange(this.#changes.get(path), kind, Math.max(step.zxid, fired))?.zxid;
      connection.set({
        kind,
        path,
        step,
        zxid: step.zxid,
        due: kind === "recursive" ? undefined : due,
        over: false,
      });
    }
  }

  #checkReply(connection: Connection, step: Step): void {
    const completion = step.completion as Event;
    this.#leftUpTo(step.zxid, connection, completion);
    const told = connection.newestEvent;
    if (told !== undefined && told.index < step.invokedAt && told.zxid > step.zxid) {
      const what = `${nameOf(step)} was answered at zxid ${show(step.zxid)}`;
      this.#promise.broken(
        `${what}, after an event of zxid ${show(told.zxid)} (event ${told.index})`,
        completion,
      );
    }
    if (connection.newestReply === undefined || connection.newestReply.zxid < step.zxid)
      connection.newestReply = step;
  }

  /** Tells of each watch that should have told a change up to a zxid, which something shows. */
  #leftUpTo(zxid: Zxid, connection: Connection, seen: Event): void {
    for (;;) {
      const registration = connection.due.popUntil(zxid);
      if (registration === undefined) return;
      if (registration.over) continue;
      this.#left(registration, seen);
      registration.due = undefined;
    }
  }

  #left(registration: Registration, seen: Event): void {
    const { kind, path, step, due } = registration;
    const what = `the ${kind} watch on ${path}, set by ${nameOf(step)} at zxid ${show(registration.zxid)}`;
    const text = `${what}, did not tell the change at zxid ${show(due ?? 0)} before event ${seen.index} showed it`;
    this.#promise.broken(text, seen, [step.invocation, step.completion]);
  }

  #removed(connection: Connection, step: Step): void {
    const kinds: { readonly [kind in WatcherKind]: readonly WatchKind[] } = {
      data: ["data"],
      children: ["children"],
      any: ["data", "children", "persistent", "recursive"],
    };
    for (const kind of kinds[step.request["kind"] as WatcherKind] ?? []) {
      const registration = connection.get(kind, step.path);
      if (registration !== undefined) connection.end(registration);
    }
  }

  /** After a reconnection: what was missed must have been told by now. */
  #setAgain(connection: Connection, step: Step): void {
    const missed = this.#missed.get(step);
    const relative = step.request["relativeZxid"] as number;
    if (missed !== undefined && !this.#mayHide) {
      for (const kind of ["data", "children"] as const) {
        for (const path of missed[kind]) {
          this.#promise.checked();
          const open = connection.get(kind, path);
          if (open === undefined || open.step !== step) continue;
          connection.end(open);
          const what = `${nameOf(step)} set the ${kind} watch on ${path} again`;
          const text = `${what}, and what had changed since zxid ${show(relative)} was not told`;
          this.#promise.broken(text, step.completion as Event, [step.invocation]);
        }
      }
    }
    for (const name of ["persistent", "persistentRecursive"] as const) {
      for (const path of step.request[name] as readonly string[]) {
        const gap = (this.#changes.get(path) ?? []).filter(
          ({ zxid }) => zxid > relative && zxid <= step.zxid,
        );
        if (gap.length > 0) this.#promise.count("changes missed by persistent watches", gap.length);
      }
    }
  }
}

/** The watches that a request sets. */
function watchesOf(step: Step): readonly (readonly [WatchKind, string])[] {
  if (!step.setsWatches) return none;
  const { request, path } = step;
  if (step.op === "addWatch") return [[request["mode"] === "persistent" ? "persistent" : "recursive", path]];
  if (step.op === "setWatches") {
    const of = (name: string, kind: WatchKind): (readonly [WatchKind, string])[] =>
      (request[name] as readonly string[]).map((each) => [kind, each] as const);
    return [
      ...of("data", "data"),
      ...of("exists", "data"),
      ...of("children", "children"),
      ...of("persistent", "persistent"),
      ...of("persistentRecursive", "recursive"),
    ];
  }
  return [[step.op === "getChildren" ? "children" : "data", path]];
}

const none: readonly (readonly [WatchKind, string])[] = [];

/** Whether the answer says that the watch is set. */
function isSet(step: Step, kind: WatchKind): boolean {
  if (step.outcome === "ok") return true;
  return step.op === "exists" && kind === "data" && step.error === "NoNode";
}

/** What happens to the sessions that watch anything, in the order of the history. */
interface Moments {
  invoked(step: Step): void;
  completed(step: Step): void;
  told(watch: WatchStep): void;
  disconnected(session: string): void;
}

function tellInOrder(history: ZookeeperHistory, moments: Moments): void {
  const { watching: setting, completed, watches, sessions } = history;
  const watching = new Set<string>();
  for (const { session } of setting) watching.add(session);
  for (const { session } of watches) watching.add(session);
  if (watching.size === 0) return;
  const ending = completed.filter((step) => watching.has(step.session));
  const parting = sessions.filter(({ what }) => watching.has(what.session));
  let [set, watch, part, next] = [0, 0, 0, -1];
  const tellBefore = (index: number): void => {
    while (next < index) {
      const nextSet = setting[set]?.invokedAt ?? Infinity;
      const nextWatch = indexOf(watches[watch]?.event);
      const nextPart = indexOf(parting[part]?.event);
      next = Math.min(nextSet, nextWatch, nextPart);
      if (next >= index) return;
      if (next === nextSet) moments.invoked(setting[set++] as Step);
      else if (next === nextWatch) moments.told(watches[watch++] as WatchStep);
      else moments.disconnected((parting[part++] as SessionStep).what.session);
    }
  };
  ending.forEach((step) => {
    tellBefore(step.completedAt);
    moments.completed(step);
  });
  tellBefore(Infinity);
}

function indexOf(event: Event | undefined): number {
  return event === undefined ? Infinity : event.index;
}
