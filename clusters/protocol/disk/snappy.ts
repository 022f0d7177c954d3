import { ProtocolError } from "../errors.ts";

/** What SnappyOutputStream of snappy-java begins with. */
const streamMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);

/**
 * Unpacks what snappy-java's SnappyOutputStream wrote: magic, two version numbers, then blocks with their length before
 * them, each in Snappy's raw format (google/snappy, format_description.txt). Throws ProtocolError.
 */
export function unpackSnappyStream(bytes: Buffer, outputBytesMax: number): Buffer {
  if (bytes.length < 16 || !bytes.subarray(0, 8).equals(streamMagic)) {
    throw new ProtocolError(`expected a Snappy stream, found bytes ${bytes.toString("hex", 0, 8)}`);
  }
  const blocks: Buffer[] = [];
  let total = 0;
  for (let at = 16; at < bytes.length;) {
    // A stream that was appended to carries its magic again.
    if (bytes.length - at >= 16 && bytes.subarray(at, at + 8).equals(streamMagic)) {
      at += 16;
      continue;
    }
    if (bytes.length - at < 4) throw new ProtocolError(`expected a Snappy block's length at byte ${at}`);
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0 || length > bytes.length - at) {
      throw new ProtocolError(
        `expected a Snappy block of at most ${bytes.length - at} bytes at byte ${at}, found ${length}`,
      );
    }
    const block = unpackSnappyBlock(bytes.subarray(at, at + length), outputBytesMax - total);
    blocks.push(block);
    total += block.length;
    at += length;
  }
  return Buffer.concat(blocks, total);
}

/** Unpacks one raw Snappy block. Throws ProtocolError. */
export function unpackSnappyBlock(bytes: Buffer, outputBytesMax: number): Buffer {
  const { value: size, next } = readVarint(bytes);
  // A three-byte copy gives at most 64 bytes.
  if (size > outputBytesMax || size > bytes.length * 64) {
    throw new ProtocolError(`expected at most ${outputBytesMax} unpacked bytes, found ${size}`);
  }
  const output = Buffer.alloc(size);
  let filled = 0;
  for (let at = next; at < bytes.length;) {
    const tag = bytes[at] as number;
    const kind = tag & 3;
    if (kind === 0) {
      const extra = Math.max(0, (tag >> 2) - 59);
      need(bytes, at, 1 + extra);
      const length = (extra === 0 ? tag >> 2 : bytes.readUIntLE(at + 1, extra)) + 1;
      need(bytes, at + 1 + extra, length);
      room(size, filled, length);
      bytes.copy(output, filled, at + 1 + extra, at + 1 + extra + length);
      filled += length;
      at += 1 + extra + length;
      continue;
    }
    const extra = kind === 1 ? 1 : kind === 2 ? 2 : 4;
    need(bytes, at, 1 + extra);
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const low = bytes.readUIntLE(at + 1, extra);
    const back = kind === 1 ? ((tag >> 5) << 8) | low : low;
    if (back === 0 || back > filled) {
      throw new ProtocolError(`expected a copy from 1 to ${filled} bytes back at byte ${at}, found ${back}`);
    }
    room(size, filled, length);
    for (let count = 0; count < length; count += 1)
      output[filled + count] = output[filled - back + count] as number;
    filled += length;
    at += 1 + extra;
  }
  if (filled !== size) throw new ProtocolError(`expected ${size} unpacked bytes, found ${filled}`);
  return output;
}

function readVarint(bytes: Buffer): { value: number; next: number } {
  let value = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = bytes[index];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, next: index + 1 };
  }
  throw new ProtocolError("expected the unpacked length of a Snappy block");
}

function need(bytes: Buffer, at: number, count: number): void {
  if (count > bytes.length - at) {
    throw new ProtocolError(
      `expected ${count} more bytes of the Snappy block at byte ${at}, found ${bytes.length - at}`,
    );
  }
}

function room(size: number, filled: number, length: number): void {
  if (length > size - filled) {
    throw new ProtocolError(`expected at most ${size} unpacked bytes, found ${filled + length}`);
  }
}
