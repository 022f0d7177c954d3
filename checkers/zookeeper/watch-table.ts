import type { WatchEventType, Zxid } from "../../model/index.ts";
import { LeastHeap } from "../least-heap.ts";
import type { ChangeType } from "./mentions.ts";
import type { Change } from "./replay-state.ts";
import type { Step } from "./steps.ts";

export type WatchKind = "data" | "children" | "persistent" | "recursive";

/** A watch that a session has set, from the answer that confirmed it, or from the request while it is open. */
export interface Registration {
  readonly kind: WatchKind;
  readonly path: string;
  readonly step: Step;
  /** The tree that the client had seen when it was set; -1 while the request is open. */
  zxid: Zxid;
  /** The change that must be told next; undefined where none is known for certain. */
  due: Zxid | undefined;
  /** Fired, replaced, or gone with its connection. */
  over: boolean;
}

/** Which changes of a path a watch tells. */
export const told: { readonly [kind in WatchKind]: ReadonlySet<ChangeType> } = {
  data: new Set(["created", "deleted", "data"]),
  children: new Set(["children", "deleted"]),
  persistent: new Set(["created", "deleted", "data", "children"]),
  recursive: new Set(["created", "deleted", "data"]),
};

export const eventOf: { readonly [type in ChangeType]: WatchEventType } = {
  created: "NodeCreated",
  deleted: "NodeDeleted",
  data: "NodeDataChanged",
  children: "NodeChildrenChanged",
};

/** The index of the first change after `zxid`. */
export function firstAfter(changes: readonly Change[], zxid: Zxid): number {
  let [from, to] = [0, changes.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((changes[middle] as Change).zxid > zxid) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** The first change after `zxid` that the watch tells; undefined where there is none, or it is not known at which zxid. */
export function nextChange(
  changes: readonly Change[] | undefined,
  kind: WatchKind,
  zxid: Zxid,
): Change | undefined {
  if (changes === undefined) return undefined;
  for (let at = firstAfter(changes, zxid); at < changes.length; at++) {
    const change = changes[at] as Change;
    if (told[kind].has(change.type)) return change.exact ? change : undefined;
  }
  return undefined;
}

function dueOf(item: Registration): number {
  return item.due ?? Infinity;
}

type PathsByKind<T> = { readonly [kind in WatchKind]: Map<string, T> };

function byKind<T>(): PathsByKind<T> {
  return { data: new Map(), children: new Map(), persistent: new Map(), recursive: new Map() };
}

/** One connection of a session, with the watches that its server holds for it. */
export class Connection {
  readonly #watches: PathsByKind<Registration> = byKind();
  /** Of the watches that have fired: the zxid of the last event, -1 where it was not told. */
  readonly #fired: PathsByKind<Zxid> = byKind();
  readonly due: LeastHeap<Registration> = new LeastHeap(dueOf);
  /** Of the replies and events that it has delivered. */
  newestReply: Step | undefined;
  newestEvent: { readonly zxid: Zxid; readonly index: number } | undefined;
  /** The events of the newest zxid that were told, and how often. */
  #toldAt: Zxid = -1;
  readonly #told = new Map<string, number>();

  /** Notes an event, and says how often it was told now. */
  tell(type: WatchEventType, path: string, zxid: Zxid): number {
    if (zxid !== this.#toldAt) this.#told.clear();
    this.#toldAt = zxid;
    const key = `${type} ${path}`;
    const times = (this.#told.get(key) ?? 0) + 1;
    this.#told.set(key, times);
    return times;
  }

  get(kind: WatchKind, path: string): Registration | undefined {
    return this.#watches[kind].get(path);
  }

  set(registration: Registration): void {
    const watches = this.#watches[registration.kind];
    const old = watches.get(registration.path);
    if (old !== undefined) old.over = true;
    watches.set(registration.path, registration);
    if (registration.due !== undefined) this.due.push(registration);
  }

  /** The zxid of the last event of such a watch, undefined where it never fired. */
  firedAt(kind: WatchKind, path: string): Zxid | undefined {
    return this.#fired[kind].get(path);
  }

  /** A one-shot watch told its event. */
  fire(registration: Registration, zxid: Zxid): void {
    this.noteFired(registration, zxid);
    this.end(registration);
  }

  noteFired({ kind, path }: Registration, zxid: Zxid): void {
    this.#fired[kind].set(path, zxid);
  }

  end(registration: Registration): void {
    registration.over = true;
    const watches = this.#watches[registration.kind];
    if (watches.get(registration.path) === registration) watches.delete(registration.path);
  }

  /** Every watch that the event may come from. */
  matching(type: WatchEventType, path: string): Registration[] {
    const found: Registration[] = [];
    const add = (kind: WatchKind, at: string): void => {
      const registration = this.get(kind, at);
      if (registration !== undefined) found.push(registration);
    };
    if (type !== "NodeChildrenChanged") add("data", path);
    if (type === "NodeChildrenChanged" || type === "NodeDeleted") add("children", path);
    add("persistent", path);
    if (this.#watches.recursive.size === 0 || type === "NodeChildrenChanged") return found;
    for (let above = path; ; above = above.slice(0, above.lastIndexOf("/")) || "/") {
      add("recursive", above);
      if (above === "/" || !above.startsWith("/")) return found;
    }
  }
}
