import type { Zxid } from "./history.ts";
import type { Transaction } from "./sequential/znodes/transactions.ts";

/**
 * What a server of an ensemble left on its disk, decoded: the language between the reader of ZooKeeper's files and
 * the checker that compares servers.
 */
export interface ServerDisk {
  /** "server-1", or whatever its directory is called. */
  readonly name: string;
  /** In the order of their names' zxids, as the server itself reads them. */
  readonly logs: readonly LogFile[];
  /** In the order of their zxids. */
  readonly snapshots: readonly SnapshotFile[];
  /** Absent where there is no such file. */
  readonly currentEpoch?: EpochFile;
  readonly acceptedEpoch?: EpochFile;
}

export interface LogFile {
  /** The file's path, for people. */
  readonly path: string;
  /** The zxid in its name: the first that was to be written into it. */
  readonly firstZxid: Zxid;
  readonly records: readonly LoggedTransaction[];
  readonly end: LogEnd;
}

/** One record of a transaction log. */
export interface LoggedTransaction {
  readonly transaction: Transaction;
  /** Where the record begins in its file, in bytes. */
  readonly offset: number;
  /** Equal for records with the same header and transaction only; the digest behind them is not part of it. */
  readonly content: string;
  /** The leader's digest of the tree behind this transaction (3.6 and later). */
  readonly digest?: TreeDigest;
  /** True where data is no UTF-8 text: the transaction then shows it as "base64,...". */
  readonly binary?: true;
}

export interface TreeDigest {
  readonly version: number;
  /** In hex. */
  readonly value: string;
}

/** How a log ends for the server that reads it: what stands behind the end is lost to it. */
export type LogEnd =
  /** At the end of the file, or at its preallocated zeros. */
  | { readonly kind: "clean"; readonly offset: number; readonly behind?: RecordsBehind }
  /** In a record that was not written to its end. */
  | {
      readonly kind: "torn";
      readonly offset: number;
      readonly reason: string;
      readonly behind?: RecordsBehind;
    }
  /** At a record whose checksum or content is wrong; a server refuses to start from such a log. */
  | {
      readonly kind: "damaged";
      readonly offset: number;
      readonly reason: string;
      readonly behind?: RecordsBehind;
    };

/** Whole records that stand behind the end of a log. */
export interface RecordsBehind {
  readonly records: readonly LoggedTransaction[];
  /** True where the search for them was given up before the file's end. */
  readonly more: boolean;
}

export interface SnapshotFile {
  readonly path: string;
  /** The zxid in its name: every transaction up to it is contained, later ones may be (snapshots are fuzzy). */
  readonly zxid: Zxid;
  /** Why a server would not load it; undefined for a valid one. */
  readonly invalid: string | undefined;
  readonly sessions: number;
  readonly nodes: number;
  /** The newest transaction whose trace a node carries (czxid, mzxid, pzxid). */
  readonly newestZxid: Zxid;
  readonly digest?: TreeDigest & { readonly zxid: Zxid };
}

export interface EpochFile {
  readonly path: string;
  readonly epoch: number;
}
