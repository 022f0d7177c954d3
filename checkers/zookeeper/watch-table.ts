import type { WatchEventType, Zxid } from "../../model/index.ts";
import type { Change } from "./replay-state.ts";
import type { Step } from "./history/steps.ts";
import { firstAfter } from "./watch-changes.ts";
import { ByKind, changeOf, kinds, pathsUpwards, type WatchKind } from "./watch-kinds.ts";

/** A watch that a server holds for a connection. */
export class Registration {
  readonly kind: WatchKind;
  readonly path: string;
  readonly step: Step;
  /** Where it was set: it tells what is after that. */
  readonly zxid: Zxid;
  /** What it has to tell, in order; empty where nothing can be demanded. */
  readonly changes: readonly Change[];
  /** Of them, the next one. */
  next: number;
  /** Fired, replaced, removed, or gone with its connection. */
  isOver = false;

  constructor(kind: WatchKind, path: string, step: Step, zxid: Zxid, changes: readonly Change[]) {
    this.kind = kind;
    this.path = path;
    this.step = step;
    this.zxid = zxid;
    this.changes = changes;
    this.next = changes.length === 0 ? 0 : firstAfter(changes, zxid);
  }

  /** The zxid of the next change that it has to tell; Infinity where none is known. */
  get due(): Zxid {
    return this.changes[this.next]?.zxid ?? Infinity;
  }

  get isOneShot(): boolean {
    return kinds[this.kind].isOneShot;
  }

  /** The next change that it has to tell, if that is such a one of that path. */
  expects(type: WatchEventType, path: string): Change | undefined {
    const change = this.changes[this.next];
    return change?.path === path && change.type === changeOf[type] ? change : undefined;
  }
}

/** Whether such a watch tells such a change at all. */
export function tells(kind: WatchKind, at: string, type: WatchEventType, path: string): boolean {
  const change = changeOf[type];
  return change !== undefined && kinds[kind].tells.has(change) && covers(kind, at, path);
}

/** Whether such a watch at one path is about another. */
export function covers(kind: WatchKind, at: string, path: string): boolean {
  if (at === path) return true;
  return kinds[kind].isRecursive && (at === "/" || path.startsWith(`${at}/`));
}

const allKinds = Object.keys(kinds) as readonly WatchKind[];

/** Watches by kind and path. */
export class WatchTable {
  readonly #watches = new ByKind<Registration>();

  get(kind: WatchKind, path: string): Registration | undefined {
    return this.#watches.get(kind, path);
  }

  /** Puts it in the place of the one of its kind and path that there was. */
  set(registration: Registration): void {
    const { kind, path } = registration;
    const old = this.#watches.get(kind, path);
    if (old !== undefined) old.isOver = true;
    this.#watches.set(kind, path, registration);
  }

  end(registration: Registration | undefined): void {
    if (registration === undefined) return;
    registration.isOver = true;
    const { kind, path } = registration;
    if (this.#watches.get(kind, path) === registration) this.#watches.delete(kind, path);
  }

  all(): readonly Registration[] {
    return allKinds.flatMap((kind) => [...this.#watches.of(kind)]);
  }

  /** Every watch that such an event may come from. */
  matching(type: WatchEventType, path: string): readonly Registration[] {
    const found: Registration[] = [];
    for (const kind of allKinds) {
      if (!this.#watches.has(kind)) continue;
      for (const at of kinds[kind].isRecursive ? pathsUpwards(path) : [path]) {
        const registration = this.#watches.get(kind, at);
        if (registration !== undefined && tells(kind, at, type, path)) found.push(registration);
      }
    }
    return found;
  }
}
