import { lock, unlock } from "./memory.ts";
import type { Row } from "./row.ts";
import { chunkRows, GrowingRows, GrowingView, word, type SharedMemory } from "./shared.ts";

/**
 * The states of the current and the next level as rows, in chunks. A worker takes a chunk at a time, fills one of its
 * own and hands it over when full; an expanded chunk is used again.
 */
export class Frontier {
  readonly stride: number;
  readonly #control: Int32Array;
  readonly #hasMemory: () => boolean;
  readonly #rows: GrowingRows;
  readonly #chunks: GrowingView;
  readonly #lists: readonly [GrowingView, GrowingView];
  readonly #free: GrowingView;

  /** `stride`: entries of a row; `wide`: of 32 bits. `hasMemory`: whether another chunk may be taken. */
  constructor(memory: SharedMemory, stride: number, wide: boolean, hasMemory: () => boolean) {
    this.stride = stride;
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
        if (!this.#hasMemory() || this.#rows.reach(this.offset(chunk + 1)) === undefined) return undefined;
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
    const list = 1 - (control[word.current] as number);
    lock(control, word.lock);
    try {
      const at = control[word.listed + list] as number;
      const chunks = this.#lists[list as 0 | 1].reach(at + 1);
      if (chunks === undefined) throw new RangeError("too many chunks");
      chunks[at] = chunk;
      control[word.listed + list] = at + 1;
      control[word.frontierRows] = (control[word.frontierRows] as number) + rows;
    } finally {
      unlock(control, word.lock);
    }
  }

  /** The next chunk of the current level; undefined when all are taken. */
  take(): number | undefined {
    const control = this.#control;
    const list = control[word.current] as 0 | 1;
    const at = Atomics.add(control, word.taken, 1);
    if (at >= (control[word.listed + list] as number)) return undefined;
    const chunk = (this.#lists[list].reach(at + 1) as Int32Array)[at] as number;
    this.#rows.reach(this.offset(chunk + 1));
    return chunk;
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
    control[word.current] = 1 - before;
    control[word.taken] = 0;
    control[word.frontierRows] = 0;
    return rows;
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
    const chunks = this.#lists[list].reach(count) as Int32Array;
    let rows = 0;
    for (let i = from; i < count; i++) rows += this.rowCount(chunks[i] as number);
    return rows;
  }

  /** The chunks of the current level. */
  currentChunks(): readonly number[] {
    const list = this.#control[word.current] as 0 | 1;
    const count = this.#control[word.listed + list] as number;
    return [...(this.#lists[list].reach(count) as Int32Array).subarray(0, count)];
  }
}
