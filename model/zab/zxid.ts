import { at, type FiniteSet, type Server } from "../specification/index.ts";

/** (epoch, counter) */
export type Zxid = readonly [epoch: number, counter: number];

export type Transaction = {
  readonly zxid: Zxid;
  readonly value: number;
  /** The servers that acknowledged it, as its leader knows. */
  readonly ackSid: FiniteSet<Server>;
  readonly epoch: number;
};

export type History = readonly Transaction[];

export const zxidZero: Zxid = [0, 0];

/** `ZxidCompare`: whether the first is greater. */
export function zxidGreater(one: Zxid, other: Zxid): boolean {
  return one[0] > other[0] || (one[0] === other[0] && one[1] > other[1]);
}

export function zxidEqual(one: Zxid, other: Zxid): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

/** `TxnEqual`: equal zxid and equal value. */
export function txnEqual(
  one: { readonly zxid: Zxid; readonly value: number },
  other: { readonly zxid: Zxid; readonly value: number },
): boolean {
  return zxidEqual(one.zxid, other.zxid) && one.value === other.value;
}

export function lastZxidOfHistory(history: History): Zxid {
  return history.at(-1)?.zxid ?? zxidZero;
}

/**
 * `ZxidToIndex`: the position from 1 of the transaction with this zxid; 0 for the zxid zero, -1 if there are several
 * such transactions, the length plus one if there is none.
 */
export function zxidToIndex(history: History, zxid: Zxid): number {
  if (zxidEqual(zxid, zxidZero)) return 0;
  const found = history.filter((transaction) => zxidEqual(transaction.zxid, zxid));
  if (found.length > 1) return -1;
  return found.length === 0 ? history.length + 1 : history.indexOf(found[0] as Transaction) + 1;
}

/** `IsNextZxid`: the first of a later epoch, or the next of the same. */
export function isNextZxid(current: Zxid, next: Zxid): boolean {
  return next[1] === 1 ? current[0] < next[0] : current[0] === next[0] && current[1] + 1 === next[1];
}

/** `InitAcksid`: every transaction is acknowledged by the server alone. */
export function initAcksid(history: History, acknowledged: FiniteSet<Server>): History {
  return history.map((transaction) => ({ ...transaction, ackSid: acknowledged }));
}

/** `UpdateAcksid`: the learner acknowledges every transaction up to this zxid. */
export function updateAcksid(history: History, learner: Server, endZxid: Zxid): History {
  const beyond = history.findIndex((transaction) => zxidGreater(transaction.zxid, endZxid));
  return history.map((transaction, index) =>
    beyond !== -1 && index >= beyond
      ? transaction
      : { ...transaction, ackSid: transaction.ackSid.with(learner) },
  );
}

/** `LastAckIndexFromFollower`: the last position that the follower acknowledged, -1 if none. */
export function lastAckIndex(history: History, follower: Server): number {
  const index = history.findLastIndex((transaction) => transaction.ackSid.has(follower));
  return index === -1 ? -1 : index + 1;
}

/** The first `length` transactions. Throws ModelError when there are fewer: an index out of range, as for TLC. */
export function prefix(history: History, length: number): History {
  if (length > 0) at(history, length);
  return history.slice(0, length);
}
