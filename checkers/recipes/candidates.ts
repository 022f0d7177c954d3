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
 * Who was the lowest from which zxid on. O(n log n): numbers grow with zxids (`numbersThatFall` tells where they do
 * not), so that the next to reign is the first born that still lives when the one before is gone.
 */
export function reignsOf(candidacies: readonly Candidacy[]): Reign[] {
  const reigns: Reign[] = [];
  let free: Zxid = 0;
  for (const candidacy of inOrderOfBirth(candidacies)) {
    const from = Math.max(free, candidacy.createdAt);
    if (candidacy.deletedAt <= from) continue;
    reigns.push({ candidacy, from, until: candidacy.deletedAt });
    free = candidacy.deletedAt;
  }
  return reigns;
}

/**
 * Candidates whose number is not above all numbers before it, each with the one that had the greatest. Numbers begin
 * again where the parent was deleted (`endings`, its zxids in order).
 */
export function numbersThatFall(
  candidacies: readonly Candidacy[],
  endings: readonly Zxid[],
): (readonly [later: Candidacy, earlier: Candidacy])[] {
  const found: (readonly [Candidacy, Candidacy])[] = [];
  let greatest: Candidacy | undefined;
  let ended = 0;
  for (const candidacy of inOrderOfBirth(candidacies)) {
    for (; ended < endings.length && (endings[ended] as Zxid) < candidacy.createdAt; ended++)
      greatest = undefined;
    if (greatest === undefined || candidacy.sequence > greatest.sequence) greatest = candidacy;
    else found.push([candidacy, greatest]);
  }
  return found;
}

function inOrderOfBirth(candidacies: readonly Candidacy[]): Candidacy[] {
  return candidacies.toSorted((a, b) => a.createdAt - b.createdAt || a.sequence - b.sequence);
}
