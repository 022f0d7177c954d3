import { lock, unlock } from "./memory.ts";
import type { Row } from "./packing.ts";
import { walkRowsMax } from "./walk.ts";
import { ChunkFile, chunkFile } from "./spill.ts";
import { GrowingView, word, type SharedMemory } from "./shared.ts";

/** Fields of a chunk: its rows, the number of its first state, and the packing of its rows. */
export const chunkField = { rows: 0, firstNumber: 1, packing: 2, count: 3 } as const;

/** A chunk is what a worker takes at a time: so many ints, and room for so many of the widest rows. */
const chunkIntsMin = 2 ** 13;
const widestRowsMin = 32;

/** Ints of a chunk, where a row takes at most so many. */
export function chunkIntsFor(strideMax: number): number {
  return Math.max(chunkIntsMin, widestRowsMin * strideMax);
}

/** Of a small level there are so many chunks for each worker, of at least so many rows. */
const sharesEach = 4;
const shareMin = 8;

/** In place of a chunk's maker: it was taken. */
const taken = -1;

export interface FrontierOptions {
  /** Which worker's it is, from 0, and of how many. */
  readonly worker: number;
  readonly workers: number;
  readonly chunkInts: number;
  /** Whether memory for another chunk may be taken. */
  readonly hasMemory: () => boolean;
  /** Where chunks go that are handed over while the frontier takes more than so many bytes. */
  readonly spill: { readonly folder: string; readonly frontierBytesMax: number } | undefined;
}

/**
 * The states of the current and the next level as rows, in chunks. A worker takes a chunk at a time, fills one of its
 * own and hands it over when full; an expanded chunk is used again. In the levels' lists stands a chunk's number, or
 * -1 - its slot in the level's file on disk.
 *
 * A worker takes those first that it has filled itself, and then the last of others (as in work stealing: Blumofe &
 * Leiserson, J. ACM 46(5), 1999): so workers stay among different states, and each has less to learn of what others
 * have learnt, too.
 */
export class Frontier {
  readonly chunkInts: number;
  readonly #control: Int32Array;
  readonly #hasMemory: () => boolean;
  readonly #rows: GrowingView;
  readonly #chunks: GrowingView;
  readonly #lists: readonly [GrowingView, GrowingView];
  /** For each entry of a list: who has filled the chunk, the worker's number plus one, 0 where nobody knows; or `taken`. */
  readonly #makers: readonly [GrowingView, GrowingView];
  readonly #maker: number;
  readonly #workers: number;
  /** Where to look for the next chunk, of one's own and of others; of which level with how many chunks. */
  #own = 0;
  #others = 0;
  #level = -1;
  #count = 0;
  readonly #free: GrowingView;
  readonly #bytesMax: number;
  readonly #files: readonly ChunkFile[] | undefined;
  readonly #diskChunks: readonly [GrowingView, GrowingView];

  constructor(memory: SharedMemory, { worker, workers, chunkInts, hasMemory, spill }: FrontierOptions) {
    this.chunkInts = chunkInts;
    this.#maker = worker + 1;
    this.#workers = workers;
    this.#bytesMax = spill?.frontierBytesMax ?? Number.POSITIVE_INFINITY;
    this.#files =
      spill === undefined
        ? undefined
        : [chunkFile(spill.folder, 0), chunkFile(spill.folder, 1)].map((path) => new ChunkFile(path));
    this.#diskChunks = [new GrowingView(memory.diskChunks[0]), new GrowingView(memory.diskChunks[1])];
    this.#hasMemory = hasMemory;
    this.#control = new Int32Array(memory.control);
    this.#rows = new GrowingView(memory.rows);
    this.#chunks = new GrowingView(memory.chunks);
    this.#lists = [new GrowingView(memory.lists[0]), new GrowingView(memory.lists[1])];
    this.#makers = [new GrowingView(memory.makers[0]), new GrowingView(memory.makers[1])];
    this.#free = new GrowingView(memory.free);
  }

  get bytes(): number {
    return 4 * this.chunkInts * Atomics.load(this.#control, word.chunksMade);
  }

  get rows(): Row {
    return this.#rows.ints;
  }

  /** How many rows a new chunk takes: what fits, and of a small level a share for each worker. */
  rowsMax(stride: number): number {
    const fitting = Math.min(walkRowsMax, Math.floor(this.chunkInts / stride));
    if (this.#workers === 1) return fitting;
    const share = Math.ceil((this.#control[word.levelRows] as number) / (sharesEach * this.#workers));
    return Math.min(fitting, Math.max(shareMin, share));
  }

  /** Where a chunk's rows begin in `rows`. */
  offset(chunk: number): number {
    return chunk * this.chunkInts;
  }

  /** A free chunk for rows of a packing, the numbers of `rows` states reserved; undefined where memory is used up. */
  allocate(packing: number, rows: number): number | undefined {
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
      if (this.#chunks.reach(chunkField.count * (chunk + 1)) === undefined) return undefined;
      this.#setFields(chunk, 0, control[word.numbers] as number, packing);
      control[word.numbers] = (control[word.numbers] as number) + rows;
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
    return this.#field(chunk, chunkField.firstNumber);
  }

  rowCount(chunk: number): number {
    return this.#field(chunk, chunkField.rows);
  }

  /** The number of the packing in which its rows are written. */
  packing(chunk: number): number {
    return this.#field(chunk, chunkField.packing);
  }

  #field(chunk: number, field: number): number {
    const at = chunkField.count * chunk;
    return (this.#chunks.reach(at + chunkField.count) as Int32Array)[at + field] as number;
  }

  #setFields(chunk: number, rows: number, firstNumber: number, packing: number): void {
    const at = chunkField.count * chunk;
    (this.#chunks.reach(at + chunkField.count) as Int32Array).set([rows, firstNumber, packing], at);
  }

  #setRowCount(chunk: number, rows: number): void {
    this.#setFields(chunk, rows, this.firstNumber(chunk), this.packing(chunk));
  }

  get nextList(): 0 | 1 {
    return (1 - (this.#control[word.current] as number)) as 0 | 1;
  }

  /** Hands a chunk over to the next level, or (while all wait) to the current one. */
  publish(chunk: number, rows: number, list: 0 | 1 = this.nextList): void {
    this.#setRowCount(chunk, rows);
    const control = this.#control;
    let entry = chunk;
    lock(control, word.lock);
    try {
      entry = this.#isFull() ? this.#toDisk(chunk, list) : chunk;
      const at = control[word.listed + list] as number;
      const chunks = this.#lists[list].reach(at + 1);
      const makers = this.#makers[list].reach(at + 1);
      if (chunks === undefined || makers === undefined) throw new RangeError("too many chunks");
      chunks[at] = entry;
      makers[at] = this.#maker;
      control[word.listed + list] = at + 1;
      if (list === this.nextList) {
        control[word.frontierRows] = (control[word.frontierRows] as number) + rows;
      }
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
    this.#noteOnDisk(slot, list, chunk);
    control[word.onDisk + list] = slot + 1;
    return -1 - slot;
  }

  #noteOnDisk(slot: number, list: 0 | 1, chunk: number): void {
    const at = chunkField.count * slot;
    const fields = [this.rowCount(chunk), this.firstNumber(chunk), this.packing(chunk)];
    (this.#diskChunks[list].reach(at + chunkField.count) as Int32Array).set(fields, at);
  }

  #bytesOf(chunk: number): Uint8Array {
    const bytes = 4 * this.chunkInts;
    return new Uint8Array(this.#rows.ints.buffer, chunk * bytes, bytes);
  }

  /** The next chunk of the current level; undefined when all are taken. */
  take(): number | undefined {
    const control = this.#control;
    const list = control[word.current] as 0 | 1;
    const at = this.#choose(list);
    if (at < 0) return undefined;
    const entry = (this.#lists[list].reach(at + 1) as Int32Array)[at] as number;
    const chunk = entry < 0 ? this.#fromDisk(-1 - entry, list) : entry;
    this.#rows.reach(this.offset(chunk + 1));
    return chunk;
  }

  /** The place in its list of the chunk to be taken, -1 where all are. */
  #choose(list: 0 | 1): number {
    const control = this.#control;
    lock(control, word.lock);
    try {
      const count = control[word.listed + list] as number;
      const makers = this.#makers[list].reach(count) as Int32Array;
      if (this.#level !== control[word.level] || this.#count !== count) {
        this.#level = control[word.level] as number;
        this.#count = count;
        this.#own = 0;
        this.#others = count - 1;
      }
      while (this.#own < count && makers[this.#own] !== this.#maker) this.#own++;
      while (this.#others >= 0 && makers[this.#others] === taken) this.#others--;
      const at = this.#own < count ? this.#own : this.#others;
      if (at >= 0) makers[at] = taken;
      return at;
    } finally {
      unlock(control, word.lock);
    }
  }

  #fromDisk(slot: number, list: 0 | 1): number {
    const chunk = this.#allocateAnyhow();
    this.#files?.[list]?.read(slot, this.#bytesOf(chunk));
    const at = chunkField.count * slot;
    const [rows, firstNumber, packing] = (
      this.#diskChunks[list].reach(at + chunkField.count) as Int32Array
    ).subarray(at) as unknown as readonly [number, number, number];
    this.#setFields(chunk, rows, firstNumber, packing);
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
    control[word.settled] = 0;
    control[word.frontierRows] = 0;
    control[word.levelRows] = rows;
    return rows;
  }

  /** All chunks of the next level hold states that are new. */
  markSettled(): void {
    const control = this.#control;
    control[word.settled] = control[word.listed + 1 - (control[word.current] as number)] as number;
  }

  /**
   * Removes rows from the next level's chunks that are not settled, while all workers wait. `keep` is told a row, its
   * number, and the number that it gets; `strides` says how long rows of each packing are. Returns how many were removed.
   */
  filterUnsettled(
    strides: readonly number[],
    keep: (rows: Row, at: number, stride: number, number: number, to: number) => boolean,
  ): number {
    const control = this.#control;
    const list = (1 - (control[word.current] as number)) as 0 | 1;
    const count = control[word.listed + list] as number;
    const entries = this.#lists[list].reach(count) as Int32Array;
    let removed = 0;
    for (let at = control[word.settled] as number; at < count; at++) {
      const entry = entries[at] as number;
      const chunk = entry < 0 ? this.#fromDisk(-1 - entry, list) : entry;
      removed += this.#filterChunk(chunk, strides[this.packing(chunk)] as number, keep);
      if (entry >= 0) continue;
      this.#files?.[list]?.write(-1 - entry, this.#bytesOf(chunk));
      this.#noteOnDisk(-1 - entry, list, chunk);
      this.release(chunk);
    }
    control[word.frontierRows] = (control[word.frontierRows] as number) - removed;
    return removed;
  }

  #filterChunk(
    chunk: number,
    stride: number,
    keep: (rows: Row, at: number, stride: number, number: number, to: number) => boolean,
  ): number {
    const rows = this.#rows.ints;
    const first = this.firstNumber(chunk);
    const count = this.rowCount(chunk);
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const at = this.offset(chunk) + i * stride;
      if (!keep(rows, at, stride, first + i, first + kept)) continue;
      const to = this.offset(chunk) + kept++ * stride;
      if (to !== at) rows.copyWithin(to, at, at + stride);
    }
    this.#setRowCount(chunk, kept);
    return count - kept;
  }

  /** States of the current level. */
  get currentRows(): number {
    return this.#rowsOf(this.#control[word.current] as 0 | 1, false);
  }

  /** States that were found and not expanded. */
  get unexpanded(): number {
    const current = this.#control[word.current] as 0 | 1;
    return (
      this.#rowsOf(current, true) +
      (this.#control[word.frontierRows] as number) +
      (this.#control[word.matesWaiting] as number)
    );
  }

  #rowsOf(list: 0 | 1, isWaiting: boolean): number {
    const count = this.#control[word.listed + list] as number;
    const entries = this.#lists[list].reach(count) as Int32Array;
    const makers = this.#makers[list].reach(count) as Int32Array;
    let rows = 0;
    for (let i = 0; i < count; i++) {
      if (isWaiting && makers[i] === taken) continue;
      const entry = entries[i] as number;
      const slot = chunkField.count * (-1 - entry);
      rows +=
        entry < 0
          ? ((this.#diskChunks[list].reach(slot + chunkField.count) as Int32Array)[slot] as number)
          : this.rowCount(entry);
    }
    return rows;
  }

  /** Chunk after chunk of the current level: its rows' bytes and its fields. */
  *currentChunks(): Generator<{ readonly bytes: Uint8Array; readonly fields: Int32Array }> {
    const list = this.#control[word.current] as 0 | 1;
    const count = this.#control[word.listed + list] as number;
    for (let i = 0; i < count; i++) {
      const entry = (this.#lists[list].reach(count) as Int32Array)[i] as number;
      const chunk = entry < 0 ? this.#fromDisk(-1 - entry, list) : entry;
      const fields = Int32Array.of(this.rowCount(chunk), this.firstNumber(chunk), this.packing(chunk));
      yield { bytes: this.#bytesOf(chunk), fields };
      if (entry < 0) this.release(chunk);
    }
  }

  close(): void {
    for (const file of this.#files ?? []) file.close();
  }
}
