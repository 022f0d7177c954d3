import type { ZnodeTree, Zxid } from "../../model/index.ts";
import { epochOf, lastZxid, type Captured, type Logged } from "./zab-state.ts";

/**
 * What a learner is sent so that its history becomes the leader's (ZooKeeper's LearnerHandler.syncFollower):
 * what it lacks; first the order to drop what is too much; or the whole tree.
 */
export type Synchronization =
  | { readonly kind: "DIFF"; readonly transactions: readonly Logged[] }
  | { readonly kind: "TRUNC"; readonly zxid: Zxid; readonly transactions: readonly Logged[] }
  | { readonly kind: "SNAP"; readonly tree: ZnodeTree; readonly applied: number; readonly history: Captured };

/** The tree after the first `applied` transactions of the leader's history, for a SNAP. */
export interface LeaderSnapshot {
  readonly tree: ZnodeTree;
  readonly applied: number;
}

/** How to bring a learner whose log ends at `peerLastZxid` to `history`. */
export function planSynchronization(
  history: Captured,
  peerLastZxid: Zxid,
  snapshotBeyond: number,
  snapshot: () => LeaderSnapshot,
): Synchronization {
  const common = positionUpTo(history, peerLastZxid);
  const commonZxid = lastZxid({ log: history.log, length: common });
  const snap = (): Synchronization => {
    const { tree, applied } = snapshot();
    return { kind: "SNAP", tree: tree.copy(), applied, history };
  };
  if (history.length - common > snapshotBeyond) return snap();
  const transactions = history.log.slice(common, history.length);
  if (commonZxid === peerLastZxid) return { kind: "DIFF", transactions };
  // Within one epoch a log lacks nothing below its end. Across epochs it may, so nothing less than all will do
  // ("Cannot send TRUNC to peer, different epoch").
  if (epochOf(commonZxid) === epochOf(peerLastZxid)) return { kind: "TRUNC", zxid: commonZxid, transactions };
  return snap();
}

/** The learner's history after the synchronization. A log that others may have captured is replaced, not cut. */
export function synchronized(history: Logged[], sync: Synchronization): Logged[] {
  switch (sync.kind) {
    case "DIFF":
      history.push(...sync.transactions);
      return history;
    case "TRUNC": {
      const kept = positionUpTo({ log: history, length: history.length }, sync.zxid);
      return [...history.slice(0, kept), ...sync.transactions];
    }
    case "SNAP":
      return sync.history.log.slice(0, sync.history.length);
  }
}

/** How many transactions of the history have zxids up to this one. */
export function positionUpTo({ log, length }: Captured, zxid: Zxid): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((log[middle] as Logged).zxid <= zxid) low = middle + 1;
    else high = middle;
  }
  return low;
}
