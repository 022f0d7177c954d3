import type { WriteRequest, Zxid } from "../../model/index.ts";
import type { PendingRequest } from "./client-connection.ts";
import type { Captured, Logged, ServerId } from "./zab-state.ts";
import type { Synchronization } from "./learner-sync.ts";

/**
 * The messages of Zab.tla. Differs: PROPOSE, ACK and COMMIT carry one or more transactions, each of which stands for
 * one message there. A history goes by capture; what a learner lacks goes in `sync`, as DIFF, TRUNC or SNAP.
 */
export type ZabMessage =
  | { readonly type: "CEPOCH"; readonly epoch: number }
  | { readonly type: "NEWEPOCH"; readonly epoch: number }
  | { readonly type: "ACKEPOCH"; readonly epoch: number; readonly history: Captured }
  | {
      readonly type: "NEWLEADER";
      readonly epoch: number;
      readonly history: Captured;
      readonly sync: Synchronization;
    }
  | { readonly type: "ACKLD"; readonly zxid: Zxid }
  | { readonly type: "COMMITLD"; readonly zxid: Zxid }
  | { readonly type: "PROPOSE"; readonly transactions: readonly Logged[] }
  | { readonly type: "ACK"; readonly transactions: readonly Logged[] }
  | { readonly type: "COMMIT"; readonly transactions: readonly Logged[] };

/** What else passes between a leader and its learners; the specification abstracts from it. */
export type ServiceMessage =
  | { readonly type: "PING" }
  /** A learner's answer, with the sessions that its clients kept alive. */
  | { readonly type: "PONG"; readonly sessions: readonly string[] }
  | { readonly type: "REQUEST"; readonly request: LeaderRequest }
  | {
      readonly type: "SYNC";
      readonly request: PendingRequest;
      readonly error: "SessionExpired" | "SessionMoved" | undefined;
    }
  | { readonly type: "REVALIDATE"; readonly session: string; readonly token: object }
  | { readonly type: "REVALIDATED"; readonly token: object; readonly valid: boolean }
  /** To observers, instead of PROPOSE and COMMIT. */
  | { readonly type: "INFORM"; readonly transactions: readonly Logged[] }
  | { readonly type: "OBSERVE"; readonly history: Captured }
  | {
      readonly type: "OBSERVED";
      readonly epoch: number;
      readonly history: Captured;
      readonly sync: Synchronization;
    }
  /** The other end has closed the connection. */
  | { readonly type: "CLOSE" };

export type LinkMessage = ZabMessage | ServiceMessage;

/** What a server asks its leader for, or the leader itself. */
export interface LeaderRequest {
  readonly kind: "write" | "createSession" | "closeSession" | "sync";
  readonly session: string;
  readonly xid: number;
  readonly server: ServerId;
  /** Undefined where the leader asks itself (an expired session). */
  readonly origin: PendingRequest | undefined;
  readonly write?: WriteRequest;
  readonly timeoutMs?: number;
}

/** A vote of the election, as a notification carries it. */
export interface Notification {
  readonly from: ServerId;
  readonly role: "LOOKING" | "FOLLOWING" | "LEADING";
  readonly round: number;
  readonly vote: Vote;
}

export interface Vote {
  readonly leader: ServerId;
  readonly epoch: number;
  readonly zxid: Zxid;
}
