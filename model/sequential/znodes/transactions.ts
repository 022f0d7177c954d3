import type { Zxid } from "../../history.ts";
import type { Acl, ErrorCode, ZnodeAnswer } from "./operations.ts";

/**
 * Transactions: what the leader's PrepRequestProcessor makes of requests, what is logged, and what every server
 * applies (zookeeper.jute, package org.apache.zookeeper.txn). They say *what becomes*, not what was asked, and
 * applying one never asks the clock.
 */
export interface TransactionHeader {
  /** In hex. */
  readonly session: string;
  /** The request's xid within its session. */
  readonly cxid: number;
  readonly zxid: Zxid;
  /** The leader's wall clock, ms since 1970. */
  readonly timeMs: number;
}

export interface CreateBody {
  readonly type: "create" | "createContainer" | "createTTL";
  readonly path: string;
  readonly data: string | null;
  readonly acl: readonly Acl[];
  readonly ephemeral: boolean;
  /** The parent's count of creates after this one; -1 (old logs) counts on. */
  readonly parentCversion: number;
  readonly ttlMs?: number;
}

/** What may stand inside a multi. */
export type SubTransactionBody =
  | CreateBody
  | { readonly type: "delete" | "deleteContainer"; readonly path: string }
  | {
      readonly type: "setData";
      readonly path: string;
      readonly data: string | null;
      readonly version: number;
    }
  | { readonly type: "check"; readonly path: string; readonly version: number }
  | { readonly type: "error"; readonly error: ErrorCode };

export type TransactionBody =
  | SubTransactionBody
  | { readonly type: "setACL"; readonly path: string; readonly acl: readonly Acl[]; readonly version: number }
  | { readonly type: "createSession"; readonly timeoutMs: number }
  /** `paths` is null where the server does not list what it deletes (before 3.6). */
  | { readonly type: "closeSession"; readonly paths: readonly string[] | null }
  | { readonly type: "multi"; readonly transactions: readonly SubTransactionBody[] }
  | {
      readonly type: "reconfig";
      readonly path: string;
      readonly data: string | null;
      readonly version: number;
    };

export interface Transaction {
  readonly header: TransactionHeader;
  readonly body: TransactionBody;
}

/** What applying a transaction gives: the reply that its client gets. */
export type Applied = ZnodeAnswer;
