import type { Transaction, Zxid } from "../../model/index.ts";
import type { PendingRequest } from "./client-connection.ts";

/** The position of a server in the ensemble, from 0: voters first, then observers. */
export type ServerId = number;

/** A transaction as servers log it. */
export interface Logged extends Transaction {
  readonly zxid: Zxid;
  /** Whom to answer, where the request came in. It is no part of what is logged. */
  readonly origin: Origin | undefined;
}

export interface Origin {
  readonly server: ServerId;
  readonly request: PendingRequest;
}

/** A history as it was at one moment: logs are only appended to, or replaced, never changed in place. */
export interface Captured {
  readonly log: readonly Logged[];
  readonly length: number;
}

export const epochSize: number = 2 ** 32;

export function epochOf(zxid: Zxid): number {
  return Math.floor(zxid / epochSize);
}

export function counterOf(zxid: Zxid): number {
  return zxid % epochSize;
}

export function lastZxid({ log, length }: Captured): Zxid {
  return length === 0 ? 0 : (log[length - 1] as Logged).zxid;
}

export type Phase = "ELECTION" | "DISCOVERY" | "SYNCHRONIZATION" | "BROADCAST";

/**
 * What Zab.tla keeps of one server, by its names. `acceptedEpoch`, `currentEpoch` and `history` are on disk and
 * survive a crash; `lastCommitted` starts anew.
 *
 * Differs: `ackSid`, which the specification keeps in each transaction, is a number for each learner in `ackIndex`:
 * acknowledgements come in order, so a learner has acknowledged exactly the transactions up to one position.
 */
export class ZabState {
  role: "LOOKING" | "FOLLOWING" | "LEADING" = "LOOKING";
  zabState: Phase = "ELECTION";
  acceptedEpoch = 0;
  currentEpoch = 0;
  history: Logged[] = [];
  /** The number of transactions known to be committed. */
  lastCommitted = 0;
  /** Of a leader: itself and the learners that are connected. */
  readonly learners: Set<ServerId> = new Set();
  readonly cepochRecv: Map<ServerId, { connected: boolean; epoch: number }> = new Map();
  readonly ackeRecv: Map<ServerId, { connected: boolean; peerLastEpoch: number; peerHistory: Captured }> =
    new Map();
  readonly ackldRecv: Map<ServerId, { connected: boolean }> = new Map();
  readonly ackIndex: Map<ServerId, number> = new Map();
  sendCounter = 0;
  /** Of a follower: the leader that it is connected to. */
  connectInfo: ServerId | undefined;

  get lastZxid(): Zxid {
    return lastZxid(this.captured);
  }

  get captured(): Captured {
    return { log: this.history, length: this.history.length };
  }
}

/** A learner has acknowledged every transaction up to this position (UpdateAcksid, or one acknowledgement more). */
export function acknowledge({ ackIndex }: ZabState, learner: ServerId, position: number): void {
  ackIndex.set(learner, Math.max(position, ackIndex.get(learner) ?? 0));
}
