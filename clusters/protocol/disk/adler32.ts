const modulus = 65_521;
/** The most bytes that can be summed before the sums leave 32 bits (zlib's NMAX). */
const blockBytes = 5_552;

/** Adler-32 (RFC 1950, 8.2) of `bytes`, going on from `start`: the checksum of ZooKeeper's logs and snapshots. */
export function adler32(bytes: Uint8Array, start = 1): number {
  let a = start & 0xffff;
  let b = start >>> 16;
  const { length } = bytes;
  for (let at = 0; at < length;) {
    const end = Math.min(at + blockBytes, length);
    for (; at < end; at += 1) {
      a += bytes[at] as number;
      b += a;
    }
    a %= modulus;
    b %= modulus;
  }
  return b * 65_536 + a;
}
