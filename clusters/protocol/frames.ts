import { ProtocolError } from "./errors.ts";

/** 4 MiB: four times what a server accepts by default (jute.maxbuffer). */
export const frameBytesMaxDefault: number = 4 * 1024 * 1024;

/**
 * Cuts a stream of bytes into frames: an i32 length, then that many bytes.
 *
 * Each byte is copied at most once, whatever the chunks; what is kept is at most one unfinished frame, the current
 * chunk, and nothing more. Feed it a chunk with `push`, then take frames until `next` gives undefined.
 */
export class FrameReader {
  readonly #bytesMax: number;
  readonly #header: Buffer = Buffer.alloc(4);
  #headerFilled = 0;
  /** The frame being filled, when it did not lie within one chunk. */
  #frame: Buffer | undefined;
  #frameLength = -1;
  #frameFilled = 0;
  #chunk: Buffer = Buffer.alloc(0);
  #offset = 0;

  constructor(bytesMax: number = frameBytesMaxDefault) {
    this.#bytesMax = bytesMax;
  }

  /** True where a frame has begun and not ended. */
  get torn(): boolean {
    return this.#headerFilled > 0 || this.#frameLength !== -1;
  }

  /** The next chunk; the one before must have been used up. */
  push(chunk: Buffer): void {
    if (this.#offset !== this.#chunk.length)
      throw new TypeError("push before the frames of the last chunk were taken");
    this.#chunk = chunk;
    this.#offset = 0;
  }

  /** The next whole frame without its length, or undefined where more bytes are needed. Throws ProtocolError. */
  next(): Buffer | undefined {
    if (this.#frameLength === -1 && !this.#readLength()) return undefined;
    const available = this.#chunk.length - this.#offset;
    const missing = this.#frameLength - this.#frameFilled;
    if (this.#frame === undefined) {
      if (available >= missing) {
        const frame = this.#chunk.subarray(this.#offset, this.#offset + missing);
        this.#offset += missing;
        this.#frameLength = -1;
        return frame;
      }
      this.#frame = Buffer.allocUnsafe(this.#frameLength);
    }
    const taken = Math.min(available, missing);
    this.#chunk.copy(this.#frame, this.#frameFilled, this.#offset, this.#offset + taken);
    this.#offset += taken;
    this.#frameFilled += taken;
    if (taken < missing) return undefined;
    const frame = this.#frame;
    this.#frame = undefined;
    this.#frameFilled = 0;
    this.#frameLength = -1;
    return frame;
  }

  #readLength(): boolean {
    while (this.#headerFilled < 4) {
      const byte = this.#chunk[this.#offset];
      if (byte === undefined) return false;
      this.#header[this.#headerFilled] = byte;
      this.#headerFilled += 1;
      this.#offset += 1;
    }
    const length = this.#header.readInt32BE(0);
    if (length < 0 || length > this.#bytesMax) {
      throw new ProtocolError(`frame: expected a length from 0 to ${this.#bytesMax} bytes, found ${length}`);
    }
    this.#headerFilled = 0;
    this.#frameLength = length;
    return true;
  }
}
