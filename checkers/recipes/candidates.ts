import { nodeName, parentPath, sequenceNumber, type Zxid } from "../../model/index.ts";
import type { Change } from "../zookeeper/replay-state.ts";

/** The life of one znode that stands for election or waits for a lock, in zxids. */
export interface Candidacy {
  readonly path: string;
  readonly sequence: number;
  readonly createdAt: Zxid;
  /** Infinity while it lives. */
  readonly deletedAt: Zxid;
}

/** When a candidate was the lowest: from one zxid until before another. */
export interface Reign {
  readonly candidacy: Candidacy;
  readonly from: Zxid;
  readonly until: Zxid;
}

/** Every candidate below `parent` that the history created. */
export function candidaciesBelow(
  parent: string,
  changes: ReadonlyMap<string, readonly Change[]>,
): Candidacy[] {
  const candidacies: Candidacy[] = [];
  for (const [path, list] of changes) {
    const sequence = sequenceNumber(nodeName(path));
    if (sequence === undefined || parentPath(path) !== parent) continue;
    let createdAt: Zxid | undefined;
    for (const { type, zxid } of list) {
      if (type === "created") createdAt = zxid;
      else if (type === "deleted" && createdAt !== undefined) {
        candidacies.push({ path, sequence, createdAt, deletedAt: zxid });
        createdAt = undefined;
      }
    }
    if (createdAt !== undefined) candidacies.push({ path, sequence, createdAt, deletedAt: Infinity });
  }
  return candidacies;
}

/**
 * Who was the lowest from which zxid on. O(n log n): numbers grow with zxids, so that candidates are born in the order
 * of their numbers, and the next to reign is the first that still lives when the one before is gone.
 */
export function reignsOf(candidacies: readonly Candidacy[]): Reign[] {
  const inOrder = candidacies.toSorted((a, b) => a.sequence - b.sequence || a.createdAt - b.createdAt);
  const reigns: Reign[] = [];
  let free: Zxid = 0;
  for (const candidacy of inOrder) {
    const from = Math.max(free, candidacy.createdAt);
    if (candidacy.deletedAt <= from) continue;
    reigns.push({ candidacy, from, until: candidacy.deletedAt });
    free = candidacy.deletedAt;
  }
  return reigns;
}
