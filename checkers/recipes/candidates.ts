import { nodeName, parentPath, sequenceNumber, type Zxid } from "../../model/index.ts";
import type { Change } from "../zookeeper/replay-state.ts";

/** The life of one znode that stands for election or waits for a lock, in zxids. */
export interface Candidacy {
  readonly path: string;
  readonly sequence: number;
  readonly createdAt: Zxid;
  /** Whether that is its very zxid; else only its place among what was answered is known. */
  readonly exact: boolean;
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
    let created: Change | undefined;
    const end = (deletedAt: Zxid): void => {
      if (created === undefined) return;
      candidacies.push({ path, sequence, createdAt: created.zxid, exact: created.exact, deletedAt });
      created = undefined;
    };
    for (const change of list) {
      if (change.type === "created") created = change;
      else if (change.type === "deleted") end(change.zxid);
    }
    end(Infinity);
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
 * Candidates whose number is not above all numbers before it, each with the one that had the greatest; of those only
 * whose zxid is known. Numbers begin again where the parent was deleted (`endings`, its zxids in order).
 */
export function numbersThatFall(
  candidacies: readonly Candidacy[],
  endings: readonly Zxid[],
): (readonly [later: Candidacy, earlier: Candidacy])[] {
  const found: (readonly [Candidacy, Candidacy])[] = [];
  let greatest: Candidacy | undefined;
  let ended = 0;
  for (const candidacy of inOrderOfBirth(candidacies.filter(({ exact }) => exact))) {
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
