import { InputError } from "../../model/index.ts";

/** Half of a surrogate pair: text that UTF-8 cannot carry and Node would silently replace. */
const loneSurrogate = /\p{Surrogate}/u;

/** Writes jute's binary encoding into a buffer that grows as needed. */
export class JuteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  i8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  /** Throws InputError for what is no 32-bit integer. */
  i32(value: number): void {
    if ((value | 0) !== value) {
      throw new InputError(
        `expected a 32-bit integer, found ${value}`,
        "versions, timeouts and modes are 32-bit integers",
      );
    }
    this.#reserve(4);
    this.#bytes.writeInt32BE(value, this.#length);
    this.#length += 4;
  }

  /** Throws InputError for what is no safe integer. */
  i64(value: number): void {
    if (!Number.isSafeInteger(value)) {
      throw new InputError(
        `expected an integer below 2^53, found ${value}`,
        "zxids and times are safe integers",
      );
    }
    this.#reserve(8);
    this.#bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), this.#length);
    this.#bytes.writeUInt32BE(value - Math.floor(value / 0x1_0000_0000) * 0x1_0000_0000, this.#length + 4);
    this.#length += 8;
  }

  /** 64 bits given in hex, "0x1000012ab340000". Throws InputError for anything else. */
  hex64(value: string): void {
    if (!/^0x[0-9a-f]{1,16}$/i.test(value)) {
      throw new InputError(
        `expected 64 bits in hex, found "${value}"`,
        'write sessions as "0x1000012ab340000"',
      );
    }
    this.#reserve(8);
    this.#bytes.writeBigUInt64BE(BigInt(value), this.#length);
    this.#length += 8;
  }

  bool(value: boolean): void {
    this.i8(value ? 1 : 0);
  }

  buffer(value: Uint8Array | null): void {
    if (value === null) {
      this.i32(-1);
      return;
    }
    this.i32(value.length);
    this.raw(value);
  }

  /** Throws InputError for text that UTF-8 cannot carry. */
  string(value: string | null): void {
    if (value === null) {
      this.i32(-1);
      return;
    }
    const bytesMax = value.length * 3;
    this.#reserve(4 + bytesMax);
    const written = this.#bytes.write(value, this.#length + 4, bytesMax, "utf8");
    if (written !== value.length && loneSurrogate.test(value)) {
      throw new InputError(
        `expected text that UTF-8 can carry, found half of a surrogate pair in ${JSON.stringify(value.slice(0, 80))}`,
        "replace the broken character",
      );
    }
    this.#bytes.writeInt32BE(written, this.#length);
    this.#length += 4 + written;
  }

  vector<Item>(items: readonly Item[], write: (writer: JuteWriter, item: Item) => void): void {
    this.i32(items.length);
    for (const item of items) write(this, item);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Writes one frame: what `body` writes, with its length before it. Nothing stays behind when `body` throws. */
  frame(body: (writer: JuteWriter) => void): void {
    const start = this.#length;
    this.i32(0);
    try {
      body(this);
    } catch (error) {
      this.#length = start;
      throw error;
    }
    this.#bytes.writeInt32BE(this.#length - start - 4, start);
  }

  /** What was written, as a view that the next write may change. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What was written, handed over for good; the writer starts anew. */
  take(): Buffer {
    const taken = this.view();
    this.#bytes = Buffer.allocUnsafe(Math.min(Math.max(256, taken.length * 2), 65_536));
    this.#length = 0;
    return taken;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
