import { digestVersion, ZnodeTree, type Zxid } from "../../model/index.ts";
import type { Logged } from "./agreement.ts";
import {
  at,
  epochOf,
  counterOf,
  describeTransaction,
  type Finding,
  hexZxid,
  type LogEntry,
  placeOf,
} from "./findings.ts";
import type { ServerLog } from "./server-log.ts";

/** Equal transactions carry equal digests of the tree: the leader's, as its followers received it (3.6 and later). */
export function sameDigest({ zxid, entries }: Logged): Finding[] {
  const digested = entries.filter(
    ({ server, entry }) => server.base < zxid && entry.record.digest !== undefined,
  );
  const [first] = digested;
  if (first === undefined) return [];
  const other = digested.find(
    ({ entry }) =>
      entry.record.digest?.version === first.entry.record.digest?.version &&
      entry.record.digest?.value !== first.entry.record.digest?.value &&
      entry.record.content === first.entry.record.content,
  );
  if (other === undefined) return [];
  const text =
    `${hexZxid(zxid)} leaves the tree with digest ${first.entry.record.digest?.value} on ${first.server.name} ` +
    `(${placeOf(first.entry)}), and ${other.entry.record.digest?.value} on ${other.server.name} (${placeOf(other.entry)})`;
  return [at("digests", "violation", other.server.name, other.entry, text)];
}

/** A server's log applied to an empty tree, its digests compared with the logged ones. */
export interface Replay {
  readonly server: ServerLog;
  /** How many logged digests were compared. */
  readonly compared: number;
  /** The first record whose digest the transactions before it do not explain. */
  readonly mismatch: { readonly entry: LogEntry; readonly previous: Zxid } | undefined;
  /** The records up to here were compared and, but for the mismatch, explained. */
  readonly upTo: Zxid;
}

/**
 * Applies a server's log to an empty tree and compares the *changes* of ZooKeeper's tree digest, as releases differ in
 * the nodes that a new tree has. Undefined where the log does not begin with the ensemble's first transaction, or
 * carries no digests.
 */
export function replay(server: ServerLog): Replay | undefined {
  const [first] = server.entries;
  if (first === undefined || !beginsEmpty(server, first.zxid)) return undefined;
  const tree = new ZnodeTree({ digests: true });
  let offset: bigint | undefined;
  let compared = 0;
  let previous = 0;
  for (const entry of server.entries) {
    const { transaction, digest, binary } = entry.record;
    if (binary === true) break;
    // Written twice alike: it was applied.
    if (server.byZxid.get(entry.zxid) !== entry) continue;
    tree.apply(transaction.header, transaction.body);
    if (digest?.version !== digestVersion) {
      previous = entry.zxid;
      continue;
    }
    const found = BigInt.asUintN(64, BigInt(digest.value) - BigInt(tree.digest));
    if (offset !== undefined && found !== offset) {
      return { server, compared, mismatch: { entry, previous }, upTo: previous };
    }
    offset = found;
    compared += 1;
    previous = entry.zxid;
  }
  return compared === 0 ? undefined : { server, compared, mismatch: undefined, upTo: previous };
}

function beginsEmpty(server: ServerLog, first: Zxid): boolean {
  const [oldest] = server.disk.snapshots;
  if (oldest === undefined) return epochOf(first) <= 1 && counterOf(first) === 1;
  return oldest.zxid === 0 && oldest.newestZxid === 0;
}

/**
 * A digest that a server's log does not explain proves that the log lacks or adds something, where another server's
 * log does explain it. Where none does, it is worth a warning: releases have defects in their digests, too.
 */
export function unexplainedDigests(replays: readonly Replay[]): Finding[] {
  return replays.flatMap(({ server, mismatch }) => {
    if (mismatch === undefined) return [];
    const { entry, previous } = mismatch;
    // Behind a snapshot the log need not hold all that the digests count.
    if (server.hasSnapshot && server.base > 0) return [];
    const witness = replays.find(
      (other) => other.mismatch?.entry.zxid !== entry.zxid && other.upTo >= entry.zxid,
    );
    const text =
      `${server.name}: the digest behind ${hexZxid(entry.zxid)} (${describeTransaction(entry.record)}; ${placeOf(entry)}) ` +
      `is not that of its log up to ${hexZxid(previous)} and this`;
    return witness === undefined
      ? [at("digests", "warning", server.name, entry, `${text}; no other server's log explains it either`)]
      : [at("digests", "violation", server.name, entry, `${text}; ${witness.server.name}'s log explains it`)];
  });
}
