import type { WatchEventType, ZnodeTree, Zxid } from "../../model/index.ts";
import type { Step } from "./history/steps.ts";
import { pathsOf, type WatchList } from "./watch-kinds.ts";

/** A watch of a setWatches whose change was missed: it is told at once, and the watch is not set. */
export interface MissedChange {
  readonly list: WatchList;
  readonly path: string;
  readonly type: WatchEventType;
}

/**
 * What a server tells at once when a client sets its watches again after a reconnection (DataTree.setWatches), given
 * the tree as it was when it answered: each watch for itself, without a zxid, before it answers.
 */
export function missedChanges(step: Step, tree: ZnodeTree): readonly MissedChange[] {
  const relative = step.request["relativeZxid"] as number;
  const missed: MissedChange[] = [];
  const look = (list: WatchList, typeOf: (path: string) => WatchEventType | undefined): void => {
    for (const path of pathsOf(step, list)) {
      const type = typeOf(path);
      if (type !== undefined) missed.push({ list, path, type });
    }
  };
  const changed = (zxid: Zxid | undefined, type: WatchEventType): WatchEventType | undefined => {
    if (zxid === undefined) return "NodeDeleted";
    return zxid > relative ? type : undefined;
  };
  look("data", (path) => changed(tree.node(path)?.mzxid, "NodeDataChanged"));
  look("exists", (path) => (tree.node(path) === undefined ? undefined : "NodeCreated"));
  look("children", (path) => changed(tree.node(path)?.pzxid, "NodeChildrenChanged"));
  return missed;
}
