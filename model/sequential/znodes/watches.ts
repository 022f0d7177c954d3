import type { Zxid } from "../../history.ts";
import type { Acl, WatchEvent, WatchEventType } from "./operations.ts";
import { latestFeatures, type ServerFeatures } from "./server-version.ts";

export const watchMode = { standard: 1, persistent: 2, recursive: 4 } as const;
export type WatchMode = (typeof watchMode)[keyof typeof watchMode];

/** Takes an event; `acl` is the triggering node's (undefined for events of setWatches, which no ACL filters). */
export type Deliver<Watcher> = (watcher: Watcher, event: WatchEvent, acl: readonly Acl[] | undefined) => void;

/**
 * Who watches which path: ZooKeeper's WatchManager, of which a server has two, for data and for children.
 *
 * A watcher is a connection: it loses its watches when it goes. A one-shot watch is gone when it fires; watchers of
 * one path are told in the order in which they registered (ZooKeeper: in no particular order).
 */
export class WatchManager<Watcher> {
  readonly #modes = new Map<string, Map<Watcher, number>>();
  readonly #paths = new Map<Watcher, Set<string>>();
  readonly #features: ServerFeatures;
  #recursive = 0;

  constructor(features: ServerFeatures = latestFeatures) {
    this.#features = features;
  }

  get size(): number {
    let size = 0;
    for (const watchers of this.#modes.values()) size += watchers.size;
    return size;
  }

  add(path: string, watcher: Watcher, mode: WatchMode = watchMode.standard): void {
    let watchers = this.#modes.get(path);
    if (watchers === undefined) this.#modes.set(path, (watchers = new Map()));
    const old = watchers.get(watcher) ?? 0;
    const now = this.#features.watchModesCoexist ? old | mode : mode;
    watchers.set(watcher, now);
    this.#countRecursive(old, now);
    let paths = this.#paths.get(watcher);
    if (paths === undefined) this.#paths.set(watcher, (paths = new Set()));
    paths.add(path);
  }

  /** Without `mode`, or on a server where modes replace each other: all of them. False where there was nothing. */
  remove(path: string, watcher: Watcher, mode?: WatchMode): boolean {
    const watchers = this.#modes.get(path);
    const old = watchers?.get(watcher);
    if (watchers === undefined || old === undefined) return false;
    const now = mode === undefined || !this.#features.watchModesCoexist ? 0 : old & ~mode;
    this.#set(path, watchers, watcher, old, now);
    return now !== old;
  }

  /** The connection is gone, and its watches with it. */
  removeWatcher(watcher: Watcher): void {
    for (const path of this.#paths.get(watcher) ?? []) {
      const watchers = this.#modes.get(path);
      if (watchers !== undefined) this.#set(path, watchers, watcher, watchers.get(watcher) ?? 0, 0);
    }
    this.#paths.delete(watcher);
  }

  /**
   * Tells the watchers of the path, and the recursive watchers above it, except those of `suppress`. Returns all
   * whom it concerned, told or suppressed.
   */
  trigger(
    path: string,
    type: WatchEventType,
    zxid: Zxid,
    acl: readonly Acl[],
    deliver: Deliver<Watcher>,
    suppress?: ReadonlySet<Watcher>,
  ): ReadonlySet<Watcher> | undefined {
    const concerned = this.#recursive === 0 ? this.#atPath(path, type) : this.#upwards(path, type);
    if (concerned === undefined || concerned.size === 0) return undefined;
    const event: WatchEvent = { type, path, zxid: this.#features.eventZxids ? zxid : -1 };
    for (const watcher of concerned) {
      if (suppress?.has(watcher) !== true) deliver(watcher, event, acl);
    }
    return concerned;
  }

  #atPath(path: string, type: WatchEventType): Set<Watcher> | undefined {
    const watchers = this.#modes.get(path);
    if (watchers === undefined) return undefined;
    const concerned = new Set<Watcher>();
    for (const [watcher, mode] of watchers) {
      if (!this.#features.watchModesCoexist && mode === watchMode.recursive) {
        if (type !== "NodeChildrenChanged") concerned.add(watcher);
        continue;
      }
      concerned.add(watcher);
      if ((mode & watchMode.standard) !== 0) {
        this.#set(path, watchers, watcher, mode, mode & ~watchMode.standard);
      }
    }
    return concerned;
  }

  #upwards(path: string, type: WatchEventType): Set<Watcher> {
    const concerned = this.#atPath(path, type) ?? new Set<Watcher>();
    const children = type === "NodeChildrenChanged" && !this.#features.watchModesCoexist;
    let above = path;
    while (above !== "/" && above !== "" && !children) {
      above = above.slice(0, above.lastIndexOf("/")) || "/";
      for (const [watcher, mode] of this.#modes.get(above) ?? []) {
        if ((mode & watchMode.recursive) !== 0) concerned.add(watcher);
      }
    }
    return concerned;
  }

  #set(path: string, watchers: Map<Watcher, number>, watcher: Watcher, old: number, now: number): void {
    this.#countRecursive(old, now);
    if (now !== 0) {
      watchers.set(watcher, now);
      return;
    }
    watchers.delete(watcher);
    if (watchers.size === 0) this.#modes.delete(path);
    this.#paths.get(watcher)?.delete(path);
  }

  #countRecursive(old: number, now: number): void {
    this.#recursive +=
      ((now & watchMode.recursive) === 0 ? 0 : 1) - ((old & watchMode.recursive) === 0 ? 0 : 1);
  }
}
