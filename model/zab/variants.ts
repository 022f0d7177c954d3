import type { VariantDeclaration } from "../specification/index.ts";

export type ZabVariant =
  | "weak-quorum"
  | "unadopted-history"
  | "least-recent-history"
  | "reused-epoch"
  | "early-commit"
  | "stale-epoch"
  | "half-quorum"
  | "own-epoch"
  | "own-history"
  | "corrupted-proposal"
  | "corrupted-history"
  | "reversed-history"
  | "half-adopted-history"
  | "prepending-follower"
  | "uncommitted-initial-history"
  | "volatile-epoch"
  | "forgotten-commits"
  | "uncounted-leader";

/** Defects seeded into the specification, each of which some property must find. */
export const zabVariants: { readonly [name in ZabVariant]: VariantDeclaration } = {
  "weak-quorum": {
    summary: "any floor(N/2) servers are a quorum",
    holds: false,
    property: "ShouldNotBeTriggered",
  },
  "unadopted-history": {
    summary: "FollowerProcessNEWLEADER acknowledges the leader's history and keeps its own",
    holds: false,
    property: "ShouldNotBeTriggered",
  },
  "least-recent-history": {
    summary: "DetermineInitialHistory takes the least recent history of a quorum",
    holds: false,
    property: "PrefixConsistency",
  },
  "reused-epoch": {
    summary: "DetermineNewEpoch takes the highest epoch received, without the plus one",
    holds: false,
    property: "ShouldNotBeTriggered",
  },
  "early-commit": {
    summary: "the leader advances its lastCommitted as it takes the request",
    holds: false,
    property: "Integrity",
  },
  // Within one timeout no stale epoch is ever offered, and the states are the very same (witness StaleEpochOffered).
  // Two timeouts offer one: a server that led a higher epoch, of which nobody else heard, joins a leader late. A
  // follower then goes back in epochs, but none of the ten invariants needs the guard at any bounds: while a leader
  // leads, a quorum is connected to it, so that leaders with a quorum follow one another; whoever has established the
  // higher epoch did so with acknowledgements of a quorum, one of which tells the next leader in its CEPOCH.
  "stale-epoch": {
    summary:
      "FollowerProcessNEWEPOCH accepts any epoch: needed against going back only, from two timeouts on",
    holds: false,
    property: "EpochsMonotone",
    parameters: { transactions: 0, timeouts: 2 },
  },
  "half-quorum": {
    summary: "half of the servers are a quorum",
    holds: false,
    property: "Leadership1",
    parameters: { servers: 4, transactions: 0, timeouts: 0 },
  },
  "own-epoch": {
    summary: "DetermineNewEpoch takes the leader's own epoch plus one, whatever its followers have accepted",
    holds: false,
    property: "Leadership2",
  },
  "own-history": {
    summary: "DetermineInitialHistory takes the leader's own history",
    holds: false,
    property: "CommittedPrefixNeverTruncated",
    alone: true,
  },
  "corrupted-proposal": {
    summary: "FollowerProcessPROPOSE keeps another value than was proposed",
    holds: false,
    property: "PrefixConsistency",
    parameters: { timeouts: 0 },
  },
  "corrupted-history": {
    summary: "FollowerProcessNEWLEADER adopts the leader's history with other values",
    holds: false,
    property: "Agreement",
    alone: true,
    parameters: { timeouts: 0 },
  },
  "reversed-history": {
    summary: "FollowerProcessNEWLEADER adopts the leader's history in reverse",
    holds: false,
    property: "TotalOrder",
    alone: true,
    parameters: { timeouts: 0 },
  },
  "half-adopted-history": {
    summary: "FollowerProcessNEWLEADER adopts only the last transaction of the leader's history",
    holds: false,
    property: "LocalPrimaryOrder",
    alone: true,
    parameters: { timeouts: 0 },
  },
  "prepending-follower": {
    summary: "FollowerProcessPROPOSE puts the transaction before those that it has",
    holds: false,
    property: "GlobalPrimaryOrder",
    alone: true,
  },
  "uncommitted-initial-history": {
    summary: "LeaderProcessACKLD has its followers commit the initial history, and does not itself",
    holds: false,
    property: "PrimaryIntegrity",
  },
  "volatile-epoch": {
    summary: "Restart forgets the accepted epoch",
    holds: false,
    property: "EpochsMonotone",
    parameters: { restarts: 1 },
  },
  "forgotten-commits": {
    summary: "a server that goes back to the election forgets what it knew to be committed",
    holds: false,
    property: "CommitIndexMonotone",
  },
  "uncounted-leader": {
    summary: "SwitchToLeader does not count the leader's own acknowledgement of the initial history",
    holds: false,
    property: "EstablishedLeader",
  },
};
