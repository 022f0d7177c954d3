import type { ServerDisk, Zxid } from "../../model/index.ts";
import type { LogEntry } from "./findings.ts";

/** What one server would know again after a restart, and what else its logs tell. */
export interface ServerLog {
  readonly name: string;
  readonly disk: ServerDisk;
  /** Every readable record, in the order in which the server reads them. */
  readonly entries: readonly LogEntry[];
  /** The first entry of each zxid. */
  readonly byZxid: ReadonlyMap<Zxid, LogEntry>;
  /** The keys of `byZxid`, ascending. */
  readonly zxids: readonly Zxid[];
  /**
   * Everything up to here is contained in the newest valid snapshot, so that gaps and older divergent records are
   * legal; without one, what lies before the first log's name.
   */
  readonly base: Zxid;
  /** True where `base` is a snapshot's. */
  readonly hasSnapshot: boolean;
  /** The newest readable record; 0 where there is none. */
  readonly last: Zxid;
  /** The newest record of each epoch. */
  readonly lastOfEpoch: ReadonlyMap<number, Zxid>;
}

export function serverLog(disk: ServerDisk): ServerLog {
  const entries = disk.logs.flatMap((file) =>
    file.records.map((record) => ({ zxid: record.transaction.header.zxid, record, file })),
  );
  const byZxid = new Map<Zxid, LogEntry>();
  const lastOfEpoch = new Map<number, Zxid>();
  let last = 0;
  for (const entry of entries) {
    const { zxid } = entry;
    if (!byZxid.has(zxid)) byZxid.set(zxid, entry);
    const epoch = Math.floor(zxid / 0x1_0000_0000);
    if (zxid > (lastOfEpoch.get(epoch) ?? -1)) lastOfEpoch.set(epoch, zxid);
    if (zxid > last) last = zxid;
  }
  const zxids = [...byZxid.keys()].sort((a, b) => a - b);
  const snapshots = disk.snapshots.filter((snapshot) => snapshot.invalid === undefined);
  const newest = snapshots.reduce<Zxid>((zxid, snapshot) => Math.max(zxid, snapshot.zxid), -1);
  const hasSnapshot = newest >= 0;
  const base = hasSnapshot ? newest : Math.max(0, (disk.logs[0]?.firstZxid ?? 1) - 1);
  return { name: disk.name, disk, entries, byZxid, zxids, base, hasSnapshot, last, lastOfEpoch };
}

/** How many servers make a quorum of those whose disks are there. */
export function quorumOf(servers: readonly ServerLog[]): number {
  return Math.floor(servers.length / 2) + 1;
}

/** The server went past `zxid` without it: neither a record nor a snapshot accounts for it. */
export function lacks(server: ServerLog, zxid: Zxid): boolean {
  return server.base < zxid && zxid < server.last && !server.byZxid.has(zxid);
}
