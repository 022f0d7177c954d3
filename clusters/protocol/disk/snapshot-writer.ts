import type { Stat, TreeDigest, Zxid } from "../../../model/index.ts";
import { JuteWriter } from "../jute-writer.ts";
import { openAcl } from "../requests.ts";
import { writeAcl } from "../records.ts";
import { adler32 } from "./adler32.ts";
import { snapshotMagic } from "./snapshot-reader.ts";

export interface SnapshotNode {
  /** "" for the root; parents come before their children. */
  readonly path: string;
  readonly data: string | null;
  readonly stat: Stat;
}

export interface Snapshot {
  /** Timeouts in ms by session. */
  readonly sessions: ReadonlyMap<string, number>;
  readonly nodes: readonly SnapshotNode[];
  /** 3.6 and later. */
  readonly digest?: TreeDigest & { readonly zxid: Zxid };
}

/** A snapshot file, uncompressed, with an ACL that lets everyone do everything (FileSnap.serialize). */
export function snapshotFile(snapshot: Snapshot): Buffer {
  const writer = new JuteWriter(4096);
  writer.i32(snapshotMagic);
  writer.i32(2);
  writer.i64(-1);
  writer.i32(snapshot.sessions.size);
  for (const [session, timeoutMs] of snapshot.sessions) {
    writer.hex64(session);
    writer.i32(timeoutMs);
  }
  writer.i32(1);
  writer.i64(1);
  writeAcl(writer, openAcl);
  for (const { path, data, stat } of snapshot.nodes) {
    writer.string(path);
    writer.string(data);
    writer.i64(1);
    for (const value of [stat.czxid, stat.mzxid, stat.ctime, stat.mtime]) writer.i64(value);
    for (const value of [stat.version, stat.cversion, stat.aversion]) writer.i32(value);
    writer.hex64(stat.ephemeralOwner);
    writer.i64(stat.pzxid);
  }
  writer.string("/");
  seal(writer);
  if (snapshot.digest !== undefined) {
    writer.i64(snapshot.digest.zxid);
    writer.i32(snapshot.digest.version);
    writer.hex64(snapshot.digest.value);
    seal(writer);
  }
  return writer.take();
}

function seal(writer: JuteWriter): void {
  writer.i64(adler32(writer.view()));
  writer.string("/");
}
