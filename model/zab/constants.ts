import {
  each,
  pairs,
  servers,
  type FiniteSet,
  type IdentitySet,
  type Parameters,
  type Server,
} from "../specification/index.ts";
import type { ZabVariant } from "./variants.ts";

/** What stays the same during one exploration: TLA+'s CONSTANTS, the bounds, and the seeded defect if there is one. */
export interface Constants {
  readonly servers: IdentitySet<Server>;
  /** `\E i \in Server` */
  readonly eachServer: readonly (readonly [Server])[];
  /** `\E i, j \in Server`, without i = j: no server connects to itself, so that no action is enabled there. */
  readonly eachPair: readonly (readonly [Server, Server])[];
  /** `IsQuorum(s)` */
  readonly isQuorum: (set: FiniteSet<Server>) => boolean;
  readonly maxTransactionNum: number;
  readonly maxTimeoutFailures: number;
  readonly maxRestarts: number;
  readonly maxEpoch: number;
  /** A restart needs the restarts' budget only, as in the text from which the published table was made. */
  readonly separateBudgets: boolean;
  /** Whether this defect is seeded. */
  readonly seeded: (variant: ZabVariant) => boolean;
}

/** The constants that a model's parameters stand for. */
export function constantsOf(parameters: Parameters, variant: string | undefined): Constants {
  const {
    servers: count,
    transactions,
    timeouts,
    restarts,
    epochs,
    separateBudgets,
  } = parameters as {
    readonly [name: string]: number;
  } & { readonly separateBudgets: boolean };
  const all = servers(count as number, { symmetric: true });
  const seeded = (name: ZabVariant): boolean => name === variant;
  const half = Math.floor((count as number) / 2);
  const quorumSize = seeded("weak-quorum") || seeded("half-quorum") ? half : half + 1;
  return {
    servers: all,
    eachServer: each(all),
    eachPair: pairs(all),
    isQuorum: (set) => set.size >= quorumSize,
    maxTransactionNum: transactions as number,
    maxTimeoutFailures: timeouts as number,
    maxRestarts: restarts as number,
    maxEpoch: epochs as number,
    separateBudgets,
    seeded,
  };
}
