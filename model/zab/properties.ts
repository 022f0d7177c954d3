import {
  at,
  each,
  forAll,
  product,
  vacuous,
  type Invariant,
  type Judgement,
  type Server,
} from "../specification/index.ts";
import { zab, type Proposal, type Read, type Zab } from "./state.ts";
import { prefix, txnEqual, zxidGreater, type History } from "./zxid.ts";
import type { Constants } from "./constants.ts";

/**
 * The ten invariants of Zab.tla. A property whose premise no state satisfies is vacuous there.
 * Differs: LocalPrimaryOrder is published as "there are txn1, txn2 such that", which txn1 = txn2 always satisfies, so
 * that it checks nothing; it is kept as LocalPrimaryOrderAsPublished and is always vacuous. LocalPrimaryOrder here
 * says "for all".
 */
export function invariants({ servers }: Constants): Invariant<Zab>[] {
  const every = each(servers);
  const everyTwo = product(servers, servers);

  const ShouldNotBeTriggered = zab.invariant("ShouldNotBeTriggered", (now) => {
    const violated = now.violatedInvariants;
    return !(
      violated.stateInconsistent ||
      violated.proposalInconsistent ||
      violated.commitInconsistent ||
      violated.ackInconsistent ||
      violated.messageIllegal
    );
  });

  /** At most one established leader for an epoch, at a time. */
  const Leadership1 = zab.invariant("Leadership1", everyTwo, (now, i, j) => {
    if (!isEstablished(now, i) || !isEstablished(now, j)) return vacuous;
    return i === j || now.currentEpoch[i] !== now.currentEpoch[j];
  });

  /** At most one established leader for an epoch, ever. */
  const Leadership2 = zab.invariant("Leadership2", (now) =>
    forAll(now.epochLeader, (leaders) => (leaders.size === 0 ? vacuous : leaders.size === 1)),
  );

  /** What two processes have committed has the same prefix. */
  const PrefixConsistency = zab.invariant("PrefixConsistency", everyTwo, (now, i, j) => {
    const smaller = Math.min(now.lastCommitted[i].index, now.lastCommitted[j].index);
    if (smaller === 0) return vacuous;
    const other = prefix(now.history[j], smaller);
    const same = prefix(now.history[i], smaller).every((txn, index) => txnEqual(txn, at(other, index + 1)));
    return i === j ? vacuous : same;
  });

  /** What a follower delivers, some primary has broadcast. */
  const Integrity = zab.invariant("Integrity", every, (now, i) => {
    if (now.lastCommitted[i].index === 0 || now.role[i] !== "FOLLOWING") return vacuous;
    return delivered(now, i).every((txn) =>
      now.proposalMsgsLog.some(({ zxid, data }) => txnEqual(txn, { zxid, value: data })),
    );
  });

  /** If one follower delivers a and another delivers b, then the second delivers a or the first delivers b. */
  const Agreement = zab.invariant("Agreement", everyTwo, (now, i, j) => {
    if (i === j || now.lastCommitted[i].index === 0 || now.lastCommitted[j].index === 0) return vacuous;
    if (now.role[i] !== "FOLLOWING" || now.role[j] !== "FOLLOWING") return vacuous;
    const ofI = delivered(now, i);
    const ofJ = delivered(now, j);
    return ofI.every((a) => position(ofJ, a) > 0) || ofJ.every((b) => position(ofI, b) > 0);
  });

  /** If some process delivers a before b, then any that delivers b delivers a before. */
  const TotalOrder = zab.invariant("TotalOrder", everyTwo, (now, i, j) => {
    if (i === j || now.lastCommitted[i].index < 2 || now.lastCommitted[j].index < 2) return vacuous;
    const ofJ = delivered(now, j);
    return inOrder(delivered(now, i), (a, b) => precedes(ofJ, a, b));
  });

  /**
   * If a primary broadcasts a before b, then whoever delivers b delivers a before.
   * Differs: also for who has delivered b alone; the published text asks for two delivered transactions first.
   */
  const LocalPrimaryOrder = zab.invariant("LocalPrimaryOrder", every, (now, j) => {
    if (now.lastCommitted[j].index === 0) return vacuous;
    const ofJ = now.history[j].slice(0, now.lastCommitted[j].index);
    return forAll(primaries(now), (broadcast) =>
      broadcast.length < 2 ? vacuous : inOrder(broadcast, (a, b) => precedes(ofJ, a, b)),
    );
  });

  const LocalPrimaryOrderAsPublished = zab.invariant("LocalPrimaryOrderAsPublished", () => vacuous);

  /** A process that delivers transactions of two epochs delivers that of the earlier one first. */
  const GlobalPrimaryOrder = zab.invariant("GlobalPrimaryOrder", every, (now, i) => {
    if (now.lastCommitted[i].index < 2) return vacuous;
    const epochs = delivered(now, i).map((txn) => txn.zxid[0]);
    if (epochs.every((epoch) => epoch === epochs[0])) return vacuous;
    return epochs.every((epoch, index) => index === 0 || epoch >= (epochs[index - 1] as number));
  });

  /** An established primary has delivered every transaction of an earlier epoch that a follower of its delivers. */
  const PrimaryIntegrity = zab.invariant("PrimaryIntegrity", everyTwo, (now, i, j) => {
    if (now.role[i] !== "LEADING" || now.connectInfo[j] !== i || now.zabState[i] !== "BROADCAST")
      return vacuous;
    if (now.role[j] !== "FOLLOWING" || now.zabState[j] !== "BROADCAST") return vacuous;
    if (now.lastCommitted[j].index === 0 || !now.learners[i].has(j)) return vacuous;
    const earlier = delivered(now, j).filter((txn) => txn.zxid[0] < now.currentEpoch[i]);
    if (earlier.length === 0) return vacuous;
    const ofI = delivered(now, i);
    return earlier.every((txn) => position(ofI, txn) > 0);
  });

  return [
    ShouldNotBeTriggered,
    Leadership1,
    Leadership2,
    PrefixConsistency,
    Integrity,
    Agreement,
    TotalOrder,
    LocalPrimaryOrder,
    LocalPrimaryOrderAsPublished,
    GlobalPrimaryOrder,
    PrimaryIntegrity,
  ];
}

function isEstablished(now: Read, i: Server): boolean {
  const phase = now.zabState[i];
  return now.role[i] === "LEADING" && (phase === "SYNCHRONIZATION" || phase === "BROADCAST");
}

/** The transactions that a server has delivered. Throws ModelError when it committed more than it has. */
function delivered(now: Read, i: Server): History {
  return prefix(now.history[i], now.lastCommitted[i].index);
}

type Txn = Pick<History[number], "zxid" | "value">;

/** From 1; 0 when it is not there. */
function position(txns: readonly Txn[], txn: Txn): number {
  return txns.findIndex((each) => txnEqual(each, txn)) + 1;
}

/** Whether b is absent, or a comes before it. */
function precedes(txns: readonly Txn[], a: Txn, b: Txn): Judgement {
  const atB = position(txns, b);
  if (atB === 0) return vacuous;
  const atA = position(txns, a);
  return atA > 0 && atA < atB;
}

/** Whether it holds for every a before b. */
function inOrder(txns: readonly Txn[], holds: (a: Txn, b: Txn) => Judgement): Judgement {
  return forAll(
    txns.flatMap((a, index) => txns.slice(index + 1).map((b) => [a, b] as const)),
    ([a, b]) => holds(a, b),
  );
}

/** What each primary (a server in an epoch) has broadcast, in the order of the zxids. */
function primaries(now: Read): readonly (readonly Txn[])[] {
  const broadcasts = new Map<string, Proposal[]>();
  for (const proposal of now.proposalMsgsLog) {
    if (proposal.epoch > now.currentEpoch[proposal.source]) continue;
    const primary = `${proposal.epoch} ${String(proposal.source)}`;
    broadcasts.set(primary, [...(broadcasts.get(primary) ?? []), proposal]);
  }
  return [...broadcasts.values()].map((proposals) =>
    proposals
      .toSorted((a, b) => (zxidGreater(a.zxid, b.zxid) ? 1 : -1))
      .map(({ zxid, data }) => ({ zxid, value: data })),
  );
}
