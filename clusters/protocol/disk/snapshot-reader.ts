import type { SnapshotFile, Zxid } from "../../../model/index.ts";
import { ProtocolError } from "../errors.ts";
import { JuteReader } from "../jute-reader.ts";
import { readAcl } from "../records.ts";
import { adler32 } from "./adler32.ts";

export const snapshotMagic = 0x5a4b534e; // "ZKSN"
/** StatPersisted: a Stat without dataLength and numChildren. */
const statBytes = 60;

export type SnapshotContent = Pick<SnapshotFile, "sessions" | "nodes" | "newestZxid" | "digest">;

/**
 * Reads a snapshot's uncompressed bytes through to their seals (FileSnap): the sum over everything before it, and "/".
 * 3.6 adds the tree's digest with a second seal, 3.9 may add the last zxid with a third. Throws ProtocolError where a
 * server would not load it.
 */
export function readSnapshot(bytes: Buffer): SnapshotContent {
  const reader = new JuteReader(bytes);
  const magic = reader.i32("magic");
  if (magic !== snapshotMagic) {
    throw new ProtocolError(
      `expected a snapshot, which begins with "ZKSN", found bytes ${bytes.toString("hex", 0, 4)}`,
    );
  }
  reader.i32("version");
  reader.hex64("dbid");
  const sessions = reader.vector("sessions", 12, () => {
    reader.hex64("id");
    reader.i32("timeout");
  }).length;
  reader.vector("acls", 12, () => {
    reader.i64("id");
    readAcl(reader);
  });
  const { nodes, newestZxid } = readNodes(reader);
  const seals = new Seals(reader);
  seals.check();
  if (reader.remaining === 0) return { sessions, nodes, newestZxid };
  const digest = {
    zxid: reader.zxid("digest zxid"),
    version: reader.i32("digest version"),
    value: reader.hex64("digest"),
  };
  seals.check();
  if (reader.remaining > 0) {
    reader.zxid("lastProcessedZxid");
    seals.check();
  }
  reader.expectEnd("the snapshot");
  return digest.zxid > 0 ? { sessions, nodes, newestZxid, digest } : { sessions, nodes, newestZxid };
}

function readNodes(reader: JuteReader): { nodes: number; newestZxid: Zxid } {
  let nodes = 0;
  let newestZxid = 0;
  const parents = new Set<string>();
  for (let path = reader.string("path"); path !== "/"; path = reader.string("path")) {
    const slash = path.lastIndexOf("/");
    if (slash !== -1 && !parents.has(path.slice(0, slash))) {
      throw new ProtocolError(`path: expected the parent of ${JSON.stringify(path)} before it`);
    }
    parents.add(path);
    reader.buffer("data");
    reader.i64("acl");
    const end = reader.offset + statBytes;
    newestZxid = Math.max(newestZxid, reader.zxid("czxid"), reader.zxid("mzxid"));
    reader.i64("ctime");
    reader.i64("mtime");
    for (const field of ["version", "cversion", "aversion"]) reader.i32(field);
    reader.hex64("ephemeralOwner");
    newestZxid = Math.max(newestZxid, reader.zxid("pzxid"));
    if (reader.offset !== end) throw new TypeError("a persisted Stat has 60 bytes");
    nodes += 1;
  }
  return { nodes, newestZxid };
}

/** Each seal sums everything before it, the seals before included. */
class Seals {
  readonly #reader: JuteReader;
  #sum = 1;
  #summed = 0;

  constructor(reader: JuteReader) {
    this.#reader = reader;
  }

  check(): void {
    const reader = this.#reader;
    this.#sum = adler32(reader.bytes.subarray(this.#summed, reader.offset), this.#sum);
    this.#summed = reader.offset;
    const sealed = reader.i64("seal");
    if (sealed !== this.#sum) {
      throw new ProtocolError(
        `seal: expected the checksum 0x${this.#sum.toString(16)}, found 0x${sealed.toString(16)}`,
      );
    }
    const path = reader.string("seal");
    if (path !== "/") throw new ProtocolError(`seal: expected "/", found ${JSON.stringify(path)}`);
  }
}
