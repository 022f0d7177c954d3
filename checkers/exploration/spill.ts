import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { OperationError } from "../../model/index.ts";

const bufferBytes = 2 ** 20;
const prefix = "zabcheck-spill-";

/** Makes a folder of its own for one exploration's overflow, and removes those of processes that live no more. */
export function makeSpillFolder(directory: string): string {
  return guarded(directory, () => {
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(directory)) {
      const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
      if (owner !== undefined && !isAlive(Number(owner))) rmSync(join(directory, name), { recursive: true });
    }
    const folder = join(directory, `${prefix}${process.pid}-${Date.now().toString(36)}`);
    mkdirSync(folder);
    return folder;
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The file of a sorted run of fingerprints. */
export function runFile(folder: string, run: number): string {
  return join(folder, `run-${run}`);
}

/** The file of the chunks that did not fit into memory, for levels of one parity. */
export function chunkFile(folder: string, list: 0 | 1): string {
  return join(folder, `level-${list}`);
}

/** Writes a sorted run of fingerprints. Throws OperationError where the disk is full. */
export class RunWriter {
  readonly #path: string;
  readonly #file: number;
  readonly #buffer = new Int32Array(bufferBytes / 4);
  #filled = 0;

  constructor(path: string) {
    this.#path = path;
    this.#file = guarded(path, () => openSync(path, "w"));
  }

  add(lo: number, hi: number): void {
    this.#buffer[this.#filled++] = lo;
    this.#buffer[this.#filled++] = hi;
    if (this.#filled === this.#buffer.length) this.#flush();
  }

  /** Nothing of it can get lost after this. */
  close(): void {
    try {
      this.#flush();
      guarded(this.#path, () => fsyncSync(this.#file));
    } finally {
      closeSync(this.#file);
    }
  }

  #flush(): void {
    const bytes = new Uint8Array(this.#buffer.buffer, 0, 4 * this.#filled);
    writeAll(this.#path, this.#file, bytes, null);
    this.#filled = 0;
  }
}

/** Reads a run in order. */
export class RunReader {
  lo = 0;
  hi = 0;
  readonly #file: number;
  readonly #buffer = new Int32Array(bufferBytes / 4);
  #length = 0;
  #next = 0;

  constructor(path: string) {
    this.#file = guarded(path, () => openSync(path, "r"));
  }

  /** Goes on to the next fingerprint; false at the end. */
  advance(): boolean {
    if (this.#next === this.#length) {
      this.#length = readSync(this.#file, new Uint8Array(this.#buffer.buffer)) >>> 2;
      this.#next = 0;
      if (this.#length === 0) return false;
    }
    this.lo = this.#buffer[this.#next++] as number;
    this.hi = this.#buffer[this.#next++] as number;
    return true;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** The order of fingerprints in runs. */
export function isBefore(lo: number, hi: number, otherLo: number, otherHi: number): boolean {
  return lo === otherLo ? hi >>> 0 < otherHi >>> 0 : lo >>> 0 < otherLo >>> 0;
}

/** Chunks of rows on disk, in slots of one size. */
export class ChunkFile {
  readonly #path: string;
  readonly #file: number;

  constructor(path: string) {
    this.#path = path;
    this.#file = guarded(path, () => openSync(path, "a+"));
    closeSync(this.#file);
    this.#file = guarded(path, () => openSync(path, "r+"));
  }

  write(slot: number, bytes: Uint8Array): void {
    writeAll(this.#path, this.#file, bytes, slot * bytes.length);
  }

  read(slot: number, into: Uint8Array): void {
    for (let at = 0; at < into.length;) {
      const read = readSync(this.#file, into, at, into.length - at, slot * into.length + at);
      if (read === 0) throw new OperationError("SPILL_DAMAGED", `${this.#path}: is cut off`, "explore anew");
      at += read;
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

function writeAll(path: string, file: number, bytes: Uint8Array, position: number | null): void {
  guarded(path, () => {
    for (let at = 0; at < bytes.length;) {
      at += writeSync(file, bytes, at, bytes.length - at, position === null ? null : position + at);
    }
  });
}

function guarded<T>(path: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof OperationError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperationError(
      "SPILL_FAILED",
      `${path}: the states that do not fit into memory could not be kept: ${reason}`,
      "free disk space or choose another folder with --spill; the last checkpoint, if one was written, is still good",
      error,
    );
  }
}
