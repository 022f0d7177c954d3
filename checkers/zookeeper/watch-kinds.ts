import { parentPath, type WatcherKind, type WatchEventType } from "../../model/index.ts";
import type { ChangeType } from "./mentions.ts";
import type { Step } from "./history/steps.ts";

/**
 * A watch of a connection, by the WatchManager that holds it and its mode. A persistent watch is held by both. So is a
 * recursive one by servers on which modes replace each other (before 3.9): what it tells from among the child watches
 * is a deletion, and only where its mode among the data watches was replaced.
 */
export type WatchKind = "data" | "persistent" | "recursive" | ChildKind;
type ChildKind = "children" | "persistent-children" | "recursive-children";

interface KindOfWatch {
  /** The changes that it tells. */
  readonly tells: ReadonlySet<ChangeType>;
  readonly isOneShot: boolean;
  /** Whether it tells of all nodes below its path, too. */
  readonly isRecursive: boolean;
  /** The kinds that the same WatchManager holds. */
  readonly manager: readonly WatchKind[];
}

const dataKinds: readonly WatchKind[] = ["data", "persistent", "recursive"];
const childKinds: readonly WatchKind[] = ["children", "persistent-children", "recursive-children"];

function kindOf(tells: readonly ChangeType[], manager: readonly WatchKind[], name: WatchKind): KindOfWatch {
  const isOneShot = name === manager[0];
  return { tells: new Set(tells), isOneShot, isRecursive: name === manager[2], manager };
}

export const kinds: { readonly [kind in WatchKind]: KindOfWatch } = {
  data: kindOf(["created", "deleted", "data"], dataKinds, "data"),
  persistent: kindOf(["created", "deleted", "data"], dataKinds, "persistent"),
  recursive: kindOf(["created", "deleted", "data"], dataKinds, "recursive"),
  children: kindOf(["children", "deleted"], childKinds, "children"),
  "persistent-children": kindOf(["children", "deleted"], childKinds, "persistent-children"),
  "recursive-children": kindOf(["deleted"], childKinds, "recursive-children"),
};

/** What there is for kinds of watches and paths; with maps made when needed, as most connections have few kinds. */
export class ByKind<T> {
  readonly #maps: { [kind in WatchKind]?: Map<string, T> } = {};

  get(kind: WatchKind, path: string): T | undefined {
    return this.#maps[kind]?.get(path);
  }

  set(kind: WatchKind, path: string, value: T): void {
    (this.#maps[kind] ??= new Map<string, T>()).set(path, value);
  }

  delete(kind: WatchKind, path: string): void {
    this.#maps[kind]?.delete(path);
  }

  has(kind: WatchKind): boolean {
    return (this.#maps[kind]?.size ?? 0) > 0;
  }

  of(kind: WatchKind): Iterable<T> {
    return this.#maps[kind]?.values() ?? [];
  }
}

export const changeOf: { readonly [type in string]?: ChangeType } = {
  NodeCreated: "created",
  NodeDeleted: "deleted",
  NodeDataChanged: "data",
  NodeChildrenChanged: "children",
};

export const eventOf: { readonly [type in ChangeType]: WatchEventType } = {
  created: "NodeCreated",
  deleted: "NodeDeleted",
  data: "NodeDataChanged",
  children: "NodeChildrenChanged",
};

/** A list of a setWatches. */
export type WatchList = "data" | "exists" | "children" | "persistent" | "persistentRecursive";

/** A watch that a request sets: its kinds, and of a setWatches the list that names it. */
export interface WantedWatch {
  readonly kinds: readonly WatchKind[];
  readonly path: string;
  readonly list?: WatchList;
}

const byData: readonly WatchKind[] = ["data"];
const byChildren: readonly WatchKind[] = ["children"];
const byPersistent: readonly WatchKind[] = ["persistent", "persistent-children"];
const byRecursive: readonly WatchKind[] = ["recursive", "recursive-children"];
const byList: { readonly [list in WatchList]: readonly WatchKind[] } = {
  data: byData,
  exists: byData,
  children: byChildren,
  persistent: byPersistent,
  persistentRecursive: byRecursive,
};
const lists = Object.keys(byList) as readonly WatchList[];
const none: readonly WantedWatch[] = [];

/** The watches that a request asks for, in the order in which a server sets them. */
export function watchesOf(step: Step): readonly WantedWatch[] {
  if (!step.setsWatches) return none;
  const { op, path } = step;
  if (op === "addWatch")
    return [{ kinds: step.request["mode"] === "persistent" ? byPersistent : byRecursive, path }];
  if (op === "setWatches")
    return lists.flatMap((list) =>
      pathsOf(step, list).map((each) => ({ kinds: byList[list], path: each, list })),
    );
  return [{ kinds: op === "getChildren" ? byChildren : byData, path }];
}

/** The paths that a setWatches has in one of its lists. */
export function pathsOf(step: Step, list: WatchList): readonly string[] {
  return step.request[list] as readonly string[];
}

/** Whether the answer says that the watches are set. */
export function isSet(step: Step): boolean {
  return step.outcome === "ok" || (step.op === "exists" && step.error === "NoNode");
}

/** The kinds of watches that a removeWatches ends. */
export function removedKinds(step: Step, modesCoexist: boolean): readonly WatchKind[] {
  const kind = step.request["kind"] as WatcherKind;
  if (kind === "any") return [...dataKinds, ...childKinds];
  if (kind === "data") return modesCoexist ? byData : dataKinds;
  return modesCoexist ? byChildren : childKinds;
}

/** The path and all above it. */
export function pathsUpwards(path: string): readonly string[] {
  const paths = [path];
  for (let above = path; above !== "/" && above.startsWith("/");) {
    above = parentPath(above);
    paths.push(above);
  }
  return paths;
}
