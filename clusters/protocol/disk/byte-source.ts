import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Bytes that are read at any offset; reading past the end gives fewer. */
export interface ByteSource {
  readonly size: number;
  /** A view that the next call may change. */
  at(offset: number, length: number): Buffer;
}

export function bufferSource(bytes: Buffer): ByteSource {
  return { size: bytes.length, at: (offset, length) => bytes.subarray(offset, offset + length) };
}

const windowBytes = 1024 * 1024;

/** A file read through a window of 1 MiB (more where more is asked for at once), so that its size does not matter. */
export class FileSource implements ByteSource {
  readonly size: number;
  readonly #descriptor: number;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;
  #filled = 0;

  constructor(path: string) {
    this.#descriptor = openSync(path, "r");
    this.size = fstatSync(this.#descriptor).size;
  }

  at(offset: number, length: number): Buffer {
    const end = Math.min(offset + length, this.size);
    if (offset < this.#start || end > this.#start + this.#filled) this.#move(offset, end - offset);
    return this.#window.subarray(offset - this.#start, Math.max(end, offset) - this.#start);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #move(offset: number, length: number): void {
    const wanted = Math.max(length, Math.min(windowBytes, this.size - offset));
    if (this.#window.length < wanted) this.#window = Buffer.allocUnsafe(wanted);
    this.#start = offset;
    this.#filled = 0;
    while (this.#filled < wanted) {
      const read = readSync(
        this.#descriptor,
        this.#window,
        this.#filled,
        wanted - this.#filled,
        offset + this.#filled,
      );
      if (read === 0) break;
      this.#filled += read;
    }
  }
}
