import type { Stat, Zxid } from "../../history.ts";

/** The operations of a ZooKeeper client, named as in its API. Every world (model, embedded, docker) speaks them. */

export type CreateMode =
  | "persistent"
  | "persistent-sequential"
  | "ephemeral"
  | "ephemeral-sequential"
  | "container"
  | "persistent-ttl"
  | "persistent-sequential-ttl";

/** Bits: read 1, write 2, create 4, delete 8, admin 16. */
export interface Acl {
  readonly permissions: number;
  readonly scheme: string;
  readonly id: string;
}

/** Data is text (UTF-8); null is ZooKeeper's null data. `version` -1 matches any version. */
export type CreateRequest = {
  readonly op: "create";
  readonly path: string;
  readonly data: string | null;
  readonly mode: CreateMode;
  readonly acl?: readonly Acl[];
  readonly ttlMs?: number;
};
export type DeleteRequest = { readonly op: "delete"; readonly path: string; readonly version: number };
export type SetDataRequest = {
  readonly op: "setData";
  readonly path: string;
  readonly data: string | null;
  readonly version: number;
};
export type CheckRequest = { readonly op: "check"; readonly path: string; readonly version: number };

/** What may stand inside a multi. */
export type SubRequest = CreateRequest | DeleteRequest | SetDataRequest | CheckRequest;

export type AddWatchMode = "persistent" | "persistent-recursive";
export type WatcherKind = "children" | "data" | "any";

export type ZnodeRequest =
  | SubRequest
  | { readonly op: "exists"; readonly path: string; readonly watch?: boolean }
  | { readonly op: "getData"; readonly path: string; readonly watch?: boolean }
  | { readonly op: "getChildren"; readonly path: string; readonly watch?: boolean }
  | { readonly op: "getACL"; readonly path: string }
  | { readonly op: "setACL"; readonly path: string; readonly acl: readonly Acl[]; readonly version: number }
  | { readonly op: "sync"; readonly path: string }
  | { readonly op: "multi"; readonly operations: readonly SubRequest[] }
  | { readonly op: "addWatch"; readonly path: string; readonly mode: AddWatchMode }
  | { readonly op: "removeWatches"; readonly path: string; readonly kind: WatcherKind }
  | {
      readonly op: "setWatches";
      readonly relativeZxid: Zxid;
      readonly data: readonly string[];
      readonly exists: readonly string[];
      readonly children: readonly string[];
      readonly persistent: readonly string[];
      readonly persistentRecursive: readonly string[];
    }
  | { readonly op: "addAuth"; readonly scheme: string; readonly auth: string }
  | {
      readonly op: "reconfig";
      readonly joining: string | null;
      readonly leaving: string | null;
      readonly members: string | null;
      readonly version: number;
    }
  | { readonly op: "closeSession" };

/** ZooKeeper's error codes, by their names in KeeperException.Code without the K. */
export type ErrorCode =
  | "SystemError"
  | "RuntimeInconsistency"
  | "DataInconsistency"
  | "ConnectionLoss"
  | "MarshallingError"
  | "Unimplemented"
  | "OperationTimeout"
  | "BadArguments"
  | "NewConfigNoQuorum"
  | "ReconfigInProgress"
  | "UnknownSession"
  | "APIError"
  | "NoNode"
  | "NoAuth"
  | "BadVersion"
  | "NoChildrenForEphemerals"
  | "NodeExists"
  | "NotEmpty"
  | "SessionExpired"
  | "InvalidCallback"
  | "InvalidACL"
  | "AuthFailed"
  | "SessionMoved"
  | "NotReadOnly"
  | "EphemeralOnLocalSession"
  | "NoWatcher"
  | "RequestTimeout"
  | "ReconfigDisabled"
  | "SessionClosedRequireSaslAuth"
  | "QuotaExceeded"
  | "ThrottledOp";

/** What one sub-operation of a multi answered. Of a failed multi, the culprit has its code, others RuntimeInconsistency or "ok". */
export type SubResult =
  | { readonly op: "create"; readonly path: string; readonly stat?: Stat }
  | { readonly op: "delete" }
  | { readonly op: "setData"; readonly stat: Stat }
  | { readonly op: "check" }
  | { readonly op: "error"; readonly error: ErrorCode | "ok" };

/** The body of a successful reply; fields by operation. `path` of a create is the path really created. */
export interface ZnodeResult {
  readonly path?: string;
  readonly data?: string | null;
  readonly stat?: Stat;
  /** In the order the server gave (unspecified by ZooKeeper). */
  readonly children?: readonly string[];
  readonly acl?: readonly Acl[];
  readonly results?: readonly SubResult[];
}

/** A server's answer. An `error` is definite: the operation had no effect. */
export type ZnodeAnswer =
  | { readonly error: null; readonly zxid: Zxid; readonly result: ZnodeResult }
  | { readonly error: ErrorCode; readonly zxid: Zxid; readonly results?: readonly SubResult[] };

export type WatchEventType =
  | "NodeCreated"
  | "NodeDeleted"
  | "NodeDataChanged"
  | "NodeChildrenChanged"
  | "DataWatchRemoved"
  | "ChildWatchRemoved"
  | "PersistentWatchRemoved";

/** A watch event. `zxid` is the triggering transaction's, -1 where the server does not tell (before 3.9). */
export interface WatchEvent {
  readonly type: WatchEventType;
  readonly path: string;
  readonly zxid: Zxid;
}
