import { parentPath } from "../../sequential/index.ts";
import { FiniteSet } from "../../specification/index.ts";
import type { ReadRequest, RecipeWatchEvent } from "./requests.ts";
import { find, type Change, type Transaction, type Tree } from "./tree.ts";

/**
 * A one-shot watch. `data` watches (by exists and getData on a znode) see its data and its deletion, `exists` watches
 * (by exists where there is none) its creation, `children` watches the list of its children and its deletion.
 */
export type Watch = {
  readonly kind: "data" | "exists" | "children";
  readonly path: string;
  /** It has seen something while its client was disconnected. */
  readonly missed: boolean;
};

/** The watch that a read leaves; getData and getChildren leave none on a znode that is not there. */
export function watchOf({ op, path, watch }: ReadRequest, tree: Tree): Watch | undefined {
  if (!watch) return undefined;
  const isThere = find(tree, path) !== undefined;
  if (op !== "exists" && !isThere) return undefined;
  return { kind: op === "getChildren" ? "children" : isThere ? "data" : "exists", path, missed: false };
}

/** The events that a transaction raises for one connected client's watches, and the watches that are left. */
export function trigger(
  watches: FiniteSet<Watch>,
  transaction: Transaction,
): { readonly events: readonly RecipeWatchEvent[]; readonly left: FiniteSet<Watch> } {
  const events: RecipeWatchEvent[] = [];
  let left = watches;
  for (const change of transaction) {
    for (const { watch, event } of triggers(change)) {
      if (!left.has(watch)) continue;
      left = left.without(watch);
      // A deletion fires both kinds of watch on the znode, and its client hears of it once.
      if (!events.some((other) => other.type === event.type && other.path === event.path)) events.push(event);
    }
  }
  return { events, left };
}

/** The watches of a client that is disconnected, after a transaction: it will hear of it when it connects again. */
export function miss(watches: FiniteSet<Watch>, transaction: Transaction): FiniteSet<Watch> {
  let after = watches;
  for (const change of transaction) {
    for (const { watch } of triggers(change)) {
      if (after.has(watch)) after = after.without(watch).with({ ...watch, missed: true });
    }
  }
  return after;
}

/** The watches of a client whose connection is lost, together with the events that were on their way to it. */
export function unheard(
  watches: FiniteSet<Watch>,
  undelivered: readonly RecipeWatchEvent[],
): FiniteSet<Watch> {
  return watches.with(
    ...undelivered.map(({ type, path }): Watch => {
      const kind = type === "NodeCreated" ? "exists" : type === "NodeChildrenChanged" ? "children" : "data";
      return { kind, path, missed: true };
    }),
  );
}

function triggers(change: Change): readonly { readonly watch: Watch; readonly event: RecipeWatchEvent }[] {
  const path = change.op === "create" ? change.node.path : change.path;
  const on = (kind: Watch["kind"], at: string): Watch => ({ kind, path: at, missed: false });
  const parent = parentPath(path);
  const ofParent = {
    watch: on("children", parent),
    event: { type: "NodeChildrenChanged", path: parent },
  } as const;
  switch (change.op) {
    case "create":
      return [{ watch: on("exists", path), event: { type: "NodeCreated", path } }, ofParent];
    case "delete":
      return [
        { watch: on("data", path), event: { type: "NodeDeleted", path } },
        { watch: on("children", path), event: { type: "NodeDeleted", path } },
        ofParent,
      ];
    case "setData":
      return [{ watch: on("data", path), event: { type: "NodeDataChanged", path } }];
  }
}

/**
 * What a client's watches become when it connects again (setWatches, DataTree): those whose znode changed in the
 * meantime raise an event at once, by what it is now; the others are set again. An exists-watch on a znode that was
 * created and deleted in the meantime raises nothing: ZooKeeper compares states, not histories.
 */
export function setWatches(
  watches: FiniteSet<Watch>,
  now: Tree,
): { readonly events: readonly RecipeWatchEvent[]; readonly left: FiniteSet<Watch> } {
  const events: RecipeWatchEvent[] = [];
  const left: Watch[] = [];
  for (const watch of inOrderOf(now, watches)) {
    const type = missedEvent(watch, now);
    if (type === undefined) left.push({ ...watch, missed: false });
    else events.push({ type, path: watch.path });
  }
  return { events, left: new FiniteSet(left) };
}

function missedEvent({ kind, path, missed }: Watch, now: Tree): RecipeWatchEvent["type"] | undefined {
  const isThere = find(now, path) !== undefined;
  if (kind === "exists") return isThere ? "NodeCreated" : undefined;
  if (!isThere) return "NodeDeleted";
  if (!missed) return undefined;
  return kind === "children" ? "NodeChildrenChanged" : "NodeDataChanged";
}

/**
 * In the order of the znodes, then of what is gone: where clients are symmetric the order may not hang on their names.
 * Of what is gone the names tell the order all the same, once the clients' are taken out of them: numbers are left.
 */
function inOrderOf(tree: Tree, watches: FiniteSet<Watch>): readonly Watch[] {
  const place = ({ path }: Watch): number => {
    const at = tree.nodes.findIndex((node) => node.path === path);
    return at < 0 ? tree.nodes.length : at;
  };
  const anonymous = ({ kind, path }: Watch): string => `${path.replaceAll(/<[^<>]*>/g, "")} ${kind}`;
  return [...watches].toSorted((a, b) => place(a) - place(b) || (anonymous(a) < anonymous(b) ? -1 : 1));
}
