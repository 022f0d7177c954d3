import { FiniteSet } from "../../specification/index.ts";
import {
  childrenOf,
  find,
  parentOf,
  type Change,
  type ReadRequest,
  type Transaction,
  type Tree,
} from "./tree.ts";

/** A one-shot watch. `data` watches (by exists and getData) see creation, deletion and data; `children` see the list. */
export type Watch = { readonly kind: "data" | "children"; readonly path: string };

export type WatchEvent = {
  readonly type: "NodeCreated" | "NodeDeleted" | "NodeDataChanged" | "NodeChildrenChanged";
  readonly path: string;
};

/** The watch that a read leaves; getData and getChildren leave none on a znode that is not there. */
export function watchOf(request: ReadRequest, tree: Tree): Watch | undefined {
  if (!request.watch) return undefined;
  if (request.op !== "exists" && find(tree, request.path) === undefined) return undefined;
  return { kind: request.op === "getChildren" ? "children" : "data", path: request.path };
}

/** The events that a transaction raises for one client's watches, and the watches that are left. */
export function trigger(
  watches: FiniteSet<Watch>,
  transaction: Transaction,
): { readonly events: readonly WatchEvent[]; readonly left: FiniteSet<Watch> } {
  const events: WatchEvent[] = [];
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

function triggers(change: Change): readonly { readonly watch: Watch; readonly event: WatchEvent }[] {
  const path = change.op === "create" ? change.node.path : change.path;
  const parent: Watch = { kind: "children", path: parentOf(path) };
  const children: WatchEvent = { type: "NodeChildrenChanged", path: parent.path };
  switch (change.op) {
    case "create":
      return [
        { watch: { kind: "data", path }, event: { type: "NodeCreated", path } },
        { watch: parent, event: children },
      ];
    case "delete":
      return [
        { watch: { kind: "data", path }, event: { type: "NodeDeleted", path } },
        { watch: { kind: "children", path }, event: { type: "NodeDeleted", path } },
        { watch: parent, event: children },
      ];
    case "setData":
      return [{ watch: { kind: "data", path }, event: { type: "NodeDataChanged", path } }];
  }
}

/**
 * What a client's watches become when it connects again (setWatches): those whose znode changed since the tree that
 * the client saw last raise their event at once, the others are set again.
 *
 * An event that was lost on its way belongs to a watch that the client still holds, and is raised anew by what the
 * znode is now. An exists-watch on a znode that was created and deleted in the meantime raises nothing: ZooKeeper
 * compares states, not histories.
 */
export function setWatches(
  watches: FiniteSet<Watch>,
  undelivered: readonly WatchEvent[],
  before: Tree,
  now: Tree,
): { readonly events: readonly WatchEvent[]; readonly left: FiniteSet<Watch> } {
  const events: WatchEvent[] = [];
  const left: Watch[] = [];
  for (const event of undelivered) {
    const again = raisedAgain(event, now);
    if (again === undefined) left.push({ kind: "data", path: event.path });
    else events.push(again);
  }
  for (const watch of watches) {
    const event = missed(watch, before, now);
    if (event === undefined) left.push(watch);
    else events.push(event);
  }
  return { events, left: new FiniteSet(left) };
}

function missed({ kind, path }: Watch, before: Tree, now: Tree): WatchEvent | undefined {
  const old = find(before, path);
  const node = find(now, path);
  if (old === undefined) return node === undefined ? undefined : { type: "NodeCreated", path };
  if (node === undefined) return { type: "NodeDeleted", path };
  if (kind === "data") {
    return node.czxid === old.czxid && node.version === old.version
      ? undefined
      : { type: "NodeDataChanged", path };
  }
  const same =
    childrenOf(before, path).join() === childrenOf(now, path).join() && node.created === old.created;
  return same ? undefined : { type: "NodeChildrenChanged", path };
}

function raisedAgain({ type, path }: WatchEvent, now: Tree): WatchEvent | undefined {
  const exists = find(now, path) !== undefined;
  if (type === "NodeCreated") return exists ? { type, path } : undefined;
  if (!exists) return { type: "NodeDeleted", path };
  return { type: type === "NodeDeleted" ? "NodeDataChanged" : type, path };
}
