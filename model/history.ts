/**
 * Histories: the language that models, clusters and checkers share.
 *
 * The vocabulary is Jepsen's: a process invokes an operation, and the operation completes as `ok`, as `fail`
 * (it certainly did not happen) or as `info` (nobody knows whether it happened, now or later).
 */

/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type EventType = "invoke" | "ok" | "fail" | "info";

/** A transaction id: epoch * 2^32 + counter, a safe integer (epochs below 2^21). */
export type Zxid = number;

/** The state of a znode as ZooKeeper reports it; times in ms since 1970, `ephemeralOwner` in hex ("0x0" for none). */
export interface Stat {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly pzxid: Zxid;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: string;
  readonly dataLength: number;
  readonly numChildren: number;
}

/** Whether a value of unknown origin is a whole Stat. */
export function isStat(value: unknown): value is Stat {
  if (typeof value !== "object" || value === null) return false;
  const stat = value as { readonly [field in keyof Stat]: unknown };
  return (
    Number.isSafeInteger(stat.czxid) &&
    Number.isSafeInteger(stat.mzxid) &&
    Number.isSafeInteger(stat.pzxid) &&
    Number.isSafeInteger(stat.ctime) &&
    Number.isSafeInteger(stat.mtime) &&
    Number.isSafeInteger(stat.version) &&
    Number.isSafeInteger(stat.cversion) &&
    Number.isSafeInteger(stat.aversion) &&
    Number.isSafeInteger(stat.dataLength) &&
    Number.isSafeInteger(stat.numChildren) &&
    typeof stat.ephemeralOwner === "string"
  );
}

/** What a completion proves beyond its value. Absent fields are not known. */
export interface Evidence {
  /** The reply's zxid: the write's own position, or the snapshot that a read was answered from. */
  readonly zxid?: Zxid;
  /** The server that answered, by name: "server-1". */
  readonly server?: string;
  /** The session, in hex: "0x1000012ab340000". */
  readonly session?: string;
  /** The request's number within its session (cxid in transaction logs). */
  readonly xid?: number;
  readonly stat?: Stat;
  /** Why it failed: an error code of ZooKeeper ("BadVersion"), or a reason in words for `info`. */
  readonly error?: string;
}

/** One line of a history. Faults are events of the process "faults", watch events of the process "watches". */
export interface Event extends Evidence {
  /** Position in the history, from 0. */
  readonly index: number;
  /** Nanoseconds since the run's start, an integer. */
  readonly time: number;
  readonly process: number | string;
  readonly type: EventType;
  /** The operation's name: "getData", "read", "partition". */
  readonly f: string;
  readonly value: Json;
}

/** An invocation with its completion, if it had one. `info` completions are kept as such. */
export interface Operation {
  readonly process: number | string;
  readonly f: string;
  readonly invocation: Event;
  readonly completion: Event | undefined;
}
