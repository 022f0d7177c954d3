import { lock, unlock } from "./memory.ts";
import type { Row } from "./row.ts";
import { ChunkFile, chunkFile } from "./spill.ts";
import { chunkRows, GrowingRows, GrowingView, word, type SharedMemory } from "./shared.ts";

export interface FrontierOptions {
  /** Entries of a row, and whether they are of 32 bits. */
  readonly stride: number;
  readonly wide: boolean;
  /** Whether memory for another chunk may be taken. */
  readonly hasMemory: () => boolean;
  /** Where chunks go that are handed over while the frontier takes more than so many bytes. */
  readonly spill: { readonly folder: string; readonly frontierBytesMax: number } | undefined;
}

/**
 * The states of the current and the next level as rows, in chunks. A worker takes a chunk at a time, fills one of its
 * own and hands it over when full; an expanded chunk is used again. In the levels' lists stands a chunk's number, or
 * -1 - its slot in the level's file on disk.
 */
export class Frontier {
  readonly stride: number;
  readonly #control: Int32Array;
  readonly #hasMemory: () => boolean;
  readonly #rows: GrowingRows;
  readonly #chunks: GrowingView;
  readonly #lists: readonly [GrowingView, GrowingView];
  readonly #free: GrowingView;
  readonly #bytesMax: number;
  readonly #files: readonly ChunkFile[] | undefined;
  readonly #diskChunks: readonly [GrowingView, GrowingView];

  constructor(memory: SharedMemory, { stride, wide, hasMemory, spill }: FrontierOptions) {
    this.stride = stride;
    this.#bytesMax = spill?.frontierBytesMax ?? Number.POSITIVE_INFINITY;
    this.#files =
      spill === undefined
        ? undefined
        : [chunkFile(spill.folder, 0), chunkFile(spill.folder, 1)].map((path) => new ChunkFile(path));
    this.#diskChunks = [new GrowingView(memory.diskChunks[0]), new GrowingView(memory.diskChunks[1])];
    this.#hasMemory = hasMemory;
    this.#control = new Int32Array(memory.control);
    this.#rows = new GrowingRows(memory.rows, wide);
    this.#chunks = new GrowingView(memory.chunks);
    this.#lists = [new GrowingView(memory.lists[0]), new GrowingView(memory.lists[1])];
    this.#free = new GrowingView(memory.free);
  }

  get bytes(): number {
    return this.#rows.entryBytes * this.stride * chunkRows * Atomics.load(this.#control, word.chunksMade);
  }

  get rows(): Row {
    return this.#rows.row;
  }

  /** The rows' memory in units of 32 bits. */
  get words(): Int32Array {
    return this.#rows.words;
  }

  /** Where a chunk's rows begin in `rows`. */
  offset(chunk: number): number {
    return chunk * chunkRows * this.stride;
  }

  /** A free chunk, its states' numbers reserved; undefined where memory is used up. */
  allocate(): number | undefined {
    const control = this.#control;
    lock(control, word.lock);
    try {
      const free = control[word.chunksFree] as number;
      let chunk: number;
      if (free > 0) {
        chunk = (this.#free.reach(free) as Int32Array)[free - 1] as number;
        control[word.chunksFree] = free - 1;
      } else {
        chunk = control[word.chunksMade] as number;
        if (!this.#mayTake() || this.#rows.reach(this.offset(chunk + 1)) === undefined) return undefined;
        control[word.chunksMade] = chunk + 1;
      }
      this.#rows.reach(this.offset(chunk + 1));
      const chunks = this.#chunks.reach(2 * chunk + 2);
      if (chunks === undefined) return undefined;
      chunks[2 * chunk] = 0;
      chunks[2 * chunk + 1] = control[word.numbers] as number;
      control[word.numbers] = (control[word.numbers] as number) + chunkRows;
      return chunk;
    } finally {
      unlock(control, word.lock);
    }
  }

  /** With overflow on disk a few chunks are always had: what is handed over does not stay. */
  #mayTake(): boolean {
    return this.#hasMemory() || (this.#files !== undefined && this.bytes <= this.#bytesMax);
  }

  firstNumber(chunk: number): number {
    return (this.#chunks.reach(2 * chunk + 2) as Int32Array)[2 * chunk + 1] as number;
  }

  rowCount(chunk: number): number {
    return (this.#chunks.reach(2 * chunk + 2) as Int32Array)[2 * chunk] as number;
  }

  /** Hands a chunk over to the next level. */
  publish(chunk: number, rows: number): void {
    (this.#chunks.reach(2 * chunk + 2) as Int32Array)[2 * chunk] = rows;
    const control = this.#control;
    const list = (1 - (control[word.current] as number)) as 0 | 1;
    let entry = chunk;
    lock(control, word.lock);
    try {
      entry = this.#isFull() ? this.#toDisk(chunk, list) : chunk;
      const at = control[word.listed + list] as number;
      const chunks = this.#lists[list].reach(at + 1);
      if (chunks === undefined) throw new RangeError("too many chunks");
      chunks[at] = entry;
      control[word.listed + list] = at + 1;
      control[word.frontierRows] = (control[word.frontierRows] as number) + rows;
    } finally {
      unlock(control, word.lock);
    }
    if (entry < 0) this.release(chunk);
  }

  /** Whether chunks that are handed over go to disk. It stays so, once it is. */
  #isFull(): boolean {
    return this.#files !== undefined && this.bytes > this.#bytesMax;
  }

  #toDisk(chunk: number, list: 0 | 1): number {
    const control = this.#control;
    const slot = control[word.onDisk + list] as number;
    this.#files?.[list]?.write(slot, this.#bytesOf(chunk));
    const meta = this.#diskChunks[list].reach(2 * slot + 2) as Int32Array;
    meta[2 * slot] = this.rowCount(chunk);
    meta[2 * slot + 1] = this.firstNumber(chunk);
    control[word.onDisk + list] = slot + 1;
    return -1 - slot;
  }

  #bytesOf(chunk: number): Uint8Array {
    const { row, entryBytes } = this.#rows;
    const bytes = entryBytes * this.stride * chunkRows;
    return new Uint8Array(row.buffer, chunk * bytes, bytes);
  }

  /** The next chunk of the current level; undefined when all are taken. */
  take(): number | undefined {
    const control = this.#control;
    const list = control[word.current] as 0 | 1;
    const at = Atomics.add(control, word.taken, 1);
    if (at >= (control[word.listed + list] as number)) return undefined;
    const entry = (this.#lists[list].reach(at + 1) as Int32Array)[at] as number;
    const chunk = entry < 0 ? this.#fromDisk(-1 - entry, list) : entry;
    this.#rows.reach(this.offset(chunk + 1));
    return chunk;
  }

  #fromDisk(slot: number, list: 0 | 1): number {
    const chunk = this.#allocateAnyhow();
    this.#files?.[list]?.read(slot, this.#bytesOf(chunk));
    const meta = this.#diskChunks[list].reach(2 * slot + 2) as Int32Array;
    const chunks = this.#chunks.reach(2 * chunk + 2) as Int32Array;
    chunks[2 * chunk] = meta[2 * slot] as number;
    chunks[2 * chunk + 1] = meta[2 * slot + 1] as number;
    return chunk;
  }

  /** A chunk's place, whatever it takes: for the one chunk that a worker has in hand. */
  #allocateAnyhow(): number {
    const control = this.#control;
    lock(control, word.lock);
    try {
      const free = control[word.chunksFree] as number;
      if (free > 0) {
        control[word.chunksFree] = free - 1;
        const chunk = (this.#free.reach(free) as Int32Array)[free - 1] as number;
        this.#rows.reach(this.offset(chunk + 1));
        return chunk;
      }
      const chunk = control[word.chunksMade] as number;
      if (this.#rows.reach(this.offset(chunk + 1)) === undefined)
        throw new RangeError("no memory for a chunk");
      control[word.chunksMade] = chunk + 1;
      return chunk;
    } finally {
      unlock(control, word.lock);
    }
  }

  release(chunk: number): void {
    const control = this.#control;
    lock(control, word.lock);
    try {
      const free = control[word.chunksFree] as number;
      (this.#free.reach(free + 1) as Int32Array)[free] = chunk;
      control[word.chunksFree] = free + 1;
    } finally {
      unlock(control, word.lock);
    }
  }

  /** Makes the next level the current one, while all workers wait. Returns its number of states. */
  advance(): number {
    const control = this.#control;
    const rows = control[word.frontierRows] as number;
    const before = control[word.current] as number;
    control[word.listed + before] = 0;
    control[word.onDisk + before] = 0;
    control[word.current] = 1 - before;
    control[word.taken] = 0;
    control[word.settled] = 0;
    control[word.frontierRows] = 0;
    return rows;
  }

  /** All chunks of the next level hold states that are new. */
  markSettled(): void {
    const control = this.#control;
    control[word.settled] = control[word.listed + 1 - (control[word.current] as number)] as number;
  }

  /**
   * Removes rows from the next level's chunks that are not settled, while all workers wait. `keep` is told a row, its
   * number, and the number that it gets. Returns how many were removed.
   */
  filterUnsettled(keep: (rows: Row, at: number, number: number, to: number) => boolean): number {
    const control = this.#control;
    const list = (1 - (control[word.current] as number)) as 0 | 1;
    const count = control[word.listed + list] as number;
    const entries = this.#lists[list].reach(count) as Int32Array;
    let removed = 0;
    for (let at = control[word.settled] as number; at < count; at++) {
      const entry = entries[at] as number;
      const chunk = entry < 0 ? this.#fromDisk(-1 - entry, list) : entry;
      removed += this.#filterChunk(chunk, keep);
      if (entry >= 0) continue;
      this.#files?.[list]?.write(-1 - entry, this.#bytesOf(chunk));
      this.#diskChunks[list].ints[2 * (-1 - entry)] = this.rowCount(chunk);
      this.release(chunk);
    }
    control[word.frontierRows] = (control[word.frontierRows] as number) - removed;
    return removed;
  }

  #filterChunk(chunk: number, keep: (rows: Row, at: number, number: number, to: number) => boolean): number {
    const { row } = this.#rows;
    const first = this.firstNumber(chunk);
    const count = this.rowCount(chunk);
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const at = this.offset(chunk) + i * this.stride;
      if (!keep(row, at, first + i, first + kept)) continue;
      const to = this.offset(chunk) + kept++ * this.stride;
      if (to !== at) for (let k = 0; k < this.stride; k++) row[to + k] = row[at + k] as number;
    }
    (this.#chunks.reach(2 * chunk + 2) as Int32Array)[2 * chunk] = kept;
    return count - kept;
  }

  /** States of the current level. */
  get currentRows(): number {
    return this.#rowsOf(this.#control[word.current] as 0 | 1, 0);
  }

  /** States that were found and not expanded. */
  get unexpanded(): number {
    const current = this.#control[word.current] as 0 | 1;
    return (
      this.#rowsOf(current, this.#control[word.taken] as number) +
      (this.#control[word.frontierRows] as number)
    );
  }

  #rowsOf(list: 0 | 1, from: number): number {
    const count = this.#control[word.listed + list] as number;
    const entries = this.#lists[list].reach(count) as Int32Array;
    let rows = 0;
    for (let i = from; i < count; i++) {
      const entry = entries[i] as number;
      const slot = -1 - entry;
      rows +=
        entry < 0
          ? ((this.#diskChunks[list].reach(2 * slot + 2) as Int32Array)[2 * slot] as number)
          : this.rowCount(entry);
    }
    return rows;
  }

  /** Chunk after chunk of the current level: its rows' bytes, its number of rows and its first state's number. */
  *currentChunks(): Generator<{
    readonly bytes: Uint8Array;
    readonly rows: number;
    readonly firstNumber: number;
  }> {
    const list = this.#control[word.current] as 0 | 1;
    const count = this.#control[word.listed + list] as number;
    for (let i = 0; i < count; i++) {
      const entry = (this.#lists[list].reach(count) as Int32Array)[i] as number;
      const chunk = entry < 0 ? this.#fromDisk(-1 - entry, list) : entry;
      yield { bytes: this.#bytesOf(chunk), rows: this.rowCount(chunk), firstNumber: this.firstNumber(chunk) };
      if (entry < 0) this.release(chunk);
    }
  }

  close(): void {
    for (const file of this.#files ?? []) file.close();
  }
}
