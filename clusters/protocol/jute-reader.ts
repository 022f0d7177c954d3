import { isUtf8 } from "node:buffer";

import type { Zxid } from "../../model/index.ts";
import { ProtocolError } from "./errors.ts";

/** Zxids are kept as safe integers: epochs below 2^21. */
const zxidHighMax = 0x1fffff;

/**
 * Reads jute's binary encoding out of one buffer: big-endian integers, strings and vectors that carry their length.
 *
 * Nothing is believed: each length is compared with the bytes that are there before anything is allocated.
 * Every method throws ProtocolError, naming the field, what was expected and the byte where it was missing.
 */
export class JuteReader {
  readonly bytes: Buffer;
  offset: number;
  readonly end: number;

  constructor(bytes: Buffer, offset = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  i32(field: string): number {
    const at = this.#take(4, field);
    return this.bytes.readInt32BE(at);
  }

  /** An i64 as a safe integer. */
  i64(field: string): number {
    const at = this.#take(8, field);
    const high = this.bytes.readInt32BE(at);
    const value = high * 0x1_0000_0000 + this.bytes.readUInt32BE(at + 4);
    if (!Number.isSafeInteger(value)) {
      throw this.#error(field, "an integer below 2^53", `0x${this.#hex(at, 8)}`, at);
    }
    return value;
  }

  /** -1 (unknown) or a transaction id with an epoch below 2^21. */
  zxid(field: string): Zxid {
    const at = this.#take(8, field);
    const high = this.bytes.readInt32BE(at);
    const low = this.bytes.readUInt32BE(at + 4);
    if (high >= 0 && high <= zxidHighMax) return high * 0x1_0000_0000 + low;
    if (high === -1 && low === 0xffff_ffff) return -1;
    throw this.#error(field, "a zxid with an epoch below 2^21", `0x${this.#hex(at, 8)}`, at);
  }

  /** 64 bits that mean an identity: a session, an owner. As ZooKeeper prints them: "0x1000012ab340000". */
  hex64(field: string): string {
    const at = this.#take(8, field);
    const high = this.bytes.readUInt32BE(at);
    const low = this.bytes.readUInt32BE(at + 4);
    if (high === 0) return `0x${low.toString(16)}`;
    return `0x${high.toString(16)}${low.toString(16).padStart(8, "0")}`;
  }

  bool(field: string): boolean {
    const at = this.#take(1, field);
    const value = this.bytes[at];
    if (value === 0) return false;
    if (value === 1) return true;
    throw this.#error(field, "a boolean, 0 or 1", String(value), at);
  }

  /** Bytes with their length before them; null for length -1. A view, not a copy. */
  buffer(field: string): Buffer | null {
    const at = this.offset;
    const length = this.i32(field);
    if (length === -1) return null;
    if (length < 0 || length > this.end - this.offset) {
      throw this.#error(field, `a length from -1 to the ${this.end - at - 4} bytes left`, String(length), at);
    }
    const start = this.offset;
    this.offset += length;
    return this.bytes.subarray(start, start + length);
  }

  /** UTF-8 text, or null. */
  text(field: string): string | null {
    const at = this.offset;
    const length = this.i32(field);
    if (length === -1) return null;
    if (length < 0 || length > this.end - this.offset) {
      throw this.#error(field, `a length from -1 to the ${this.end - at - 4} bytes left`, String(length), at);
    }
    const start = this.offset;
    this.offset = start + length;
    const text = this.bytes.toString("utf8", start, this.offset);
    if (text.includes("\ufffd") && !isUtf8(this.bytes.subarray(start, this.offset))) {
      throw this.#error(field, "UTF-8 text", `bytes ${this.#hex(start, Math.min(length, 16))}`, start);
    }
    return text;
  }

  /** UTF-8 text that must be there. */
  string(field: string): string {
    const at = this.offset;
    const text = this.text(field);
    if (text === null) throw this.#error(field, "a text", "null", at);
    return text;
  }

  /** A vector; null counts as empty. `itemBytesMin` bounds the count before anything is read. */
  vector<Item>(
    field: string,
    itemBytesMin: number,
    item: (reader: JuteReader, field: string) => Item,
  ): Item[] {
    const at = this.offset;
    const count = this.i32(field);
    if (count === -1) return [];
    if (count < 0 || count * itemBytesMin > this.end - this.offset) {
      throw this.#error(
        field,
        `a count from -1 to the ${Math.floor((this.end - at - 4) / itemBytesMin)} items that fit`,
        String(count),
        at,
      );
    }
    const items: Item[] = [];
    for (let index = 0; index < count; index += 1) items.push(item(this, field));
    return items;
  }

  /** An integer out of a table of names. */
  named<Name>(field: string, names: ReadonlyMap<number, Name>, what: string): Name {
    const at = this.offset;
    const value = this.i32(field);
    const name = names.get(value);
    if (name === undefined) throw this.#error(field, what, String(value), at);
    return name;
  }

  /** Throws where bytes are left over. */
  expectEnd(what: string): void {
    if (this.offset !== this.end) {
      throw new ProtocolError(
        `expected the end of ${what} at byte ${this.offset}, found ${this.end - this.offset} more bytes`,
      );
    }
  }

  #take(bytes: number, field: string): number {
    const at = this.offset;
    if (bytes > this.end - at) {
      throw this.#error(field, `${bytes} bytes`, `${this.end - at} left`, at);
    }
    this.offset = at + bytes;
    return at;
  }

  #hex(at: number, length: number): string {
    return this.bytes.toString("hex", at, at + length);
  }

  #error(field: string, expected: string, found: string, at: number): ProtocolError {
    return new ProtocolError(`${field}: expected ${expected} at byte ${at}, found ${found}`);
  }
}
