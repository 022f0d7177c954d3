import type { VariantDeclaration } from "../specification/index.ts";

export type ZabVariant =
  | "weak-quorum"
  | "unadopted-history"
  | "least-recent-history"
  | "reused-epoch"
  | "early-commit"
  | "stale-epoch";

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
    property: "Leadership1",
  },
  "early-commit": {
    summary: "the leader advances its lastCommitted as it takes the request",
    holds: false,
    property: "PrefixConsistency",
  },
  "stale-epoch": {
    summary: "FollowerProcessNEWEPOCH accepts any epoch",
    holds: true,
  },
};
