import { crc32 } from "node:zlib";
import type { Znode } from "./tree.ts";

/** The version of the digest that `nodeDigest` computes (DigestCalculator.DIGEST_VERSION, 3.6 and later). */
export const digestVersion = 2;

const fields = new DataView(new ArrayBuffer(60));
const fieldBytes = new Uint8Array(fields.buffer);

/**
 * A node's share of ZooKeeper's tree digest: CRC-32 of path, data and the persisted Stat; 0 below /zookeeper. The
 * digest of a tree is the sum over its nodes (DigestCalculator, NodeHashMapImpl), as transactions carry it from 3.6 on.
 */
export function nodeDigest(path: string, node: Znode): number {
  if (path.startsWith("/zookeeper/")) return 0;
  setLong(0, node.czxid);
  setLong(8, node.mzxid);
  setLong(16, node.pzxid);
  setLong(24, node.ctime);
  setLong(32, node.mtime);
  fields.setInt32(40, node.version);
  fields.setInt32(44, node.creates);
  fields.setInt32(48, node.aversion);
  fields.setBigUint64(52, BigInt(node.ephemeralOwner));
  let crc = crc32(path === "/" ? "" : path);
  if (node.data !== null) crc = crc32(node.data, crc);
  return crc32(fieldBytes, crc);
}

function setLong(offset: number, value: number): void {
  fields.setInt32(offset, Math.floor(value / 2 ** 32));
  fields.setUint32(offset + 4, value >>> 0);
}
