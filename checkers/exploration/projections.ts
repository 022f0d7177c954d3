import { addCached, hashProjections, touchCached } from "./loops.ts";
import { growable, growTo } from "./memory.ts";
import { field } from "./record.ts";
import type { Packing, Row } from "./packing.ts";

/** Words before the slots: how many slots there are, less one, and how many entries were added since it last grew. */
const header = { mask: 0, added: 1, count: 2 } as const;
const firstSlots = 2 ** 6;
const slotsMax = 2 ** 22;
const growth = 4;

export function makeProjections(): SharedArrayBuffer {
  const buffer = growable(bytesFor(firstSlots), bytesFor(slotsMax));
  new Int32Array(buffer)[header.mask] = firstSlots - 1;
  return buffer;
}

function bytesFor(slots: number): number {
  return 4 * header.count + 8 * slots;
}

/**
 * What predicates have seen of the states that were judged: the components that any of them has ever read. A new state
 * that looks like one before need not be judged. Kept as 64-bit hashes of the masked words of rows, for all workers.
 *
 * A cache: an entry may push out another one, and growing forgets most. Then a state is judged once more.
 */
export class Projections {
  /** Hashes that this worker has added. */
  added = 0;
  /** What was touched only to be in the cache. */
  touched = 0;
  readonly #buffer: SharedArrayBuffer;
  readonly #header: Int32Array;
  #slots: Int32Array = new Int32Array(0);
  /** Hashes begin with it, so that what was seen of other components, or of rows packed otherwise, is not found. */
  #seed = 0;
  /** The words of rows that count, and what of each. */
  #words: Int32Array = new Int32Array(0);
  #masks: Int32Array = new Int32Array(0);
  /** The hashes of the rows at hand. */
  #lo: Int32Array = new Int32Array(0);
  #hi: Int32Array = new Int32Array(0);

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
    this.#header = new Int32Array(buffer, 0, header.count);
  }

  get bytes(): number {
    return this.#buffer.byteLength;
  }

  /** Other components count from now on. `version`: the same for all workers that take these components for what counts. */
  reset(version: number, packing: Packing, components: readonly number[]): void {
    const masks = new Map<number, number>();
    for (const component of components) {
      const word = packing.word[component] as number;
      masks.set(word, (masks.get(word) ?? 0) | packing.fieldMask(component));
    }
    this.#words = Int32Array.from(masks.keys());
    this.#masks = Int32Array.from(masks.values());
    this.#seed = [version, ...packing.bits].reduce((seed, part) => Math.imul(seed ^ part, 0x9e3779b1), 0);
  }

  /**
   * Adds the new rows (as `appendSuccessors` has made them from `fresh`) whose effects have other notes on predicates
   * than the usual one. Writes the positions in `fresh` of those that were not seen before; returns how many.
   */
  addAll(
    rows: Row,
    to: number,
    stride: number,
    effects: Int32Array,
    fresh: Int32Array,
    begin: number,
    end: number,
    records: Int32Array,
    usual: number,
    unseen: Int32Array,
  ): number {
    this.#reserve(end - begin);
    const [lo, hi] = [this.#lo, this.#hi];
    const noted = hashProjections(
      rows,
      to,
      stride,
      effects,
      fresh,
      begin,
      end,
      records,
      field.predicates,
      usual,
      this.#words,
      this.#masks,
      this.#seed,
      unseen,
      lo,
      hi,
    );
    const mask = this.#reach();
    this.touched ^= touchCached(this.#slots, mask, lo, noted);
    const count = addCached(this.#slots, mask, lo, hi, noted, unseen);
    this.added += count;
    this.#noteAdded(count);
    return count;
  }

  #reserve(rows: number): void {
    if (rows <= this.#lo.length) return;
    this.#lo = new Int32Array(2 * rows);
    this.#hi = new Int32Array(2 * rows);
  }

  /** Sees to a view of all slots; returns their number less one. */
  #reach(): number {
    const mask = Atomics.load(this.#header, header.mask);
    const ints = 2 * (mask + 1);
    if (this.#slots.length < ints) this.#slots = new Int32Array(this.#buffer, 4 * header.count, ints);
    return mask;
  }

  #noteAdded(count: number): void {
    const added = Atomics.add(this.#header, header.added, count) + count;
    const slots = Atomics.load(this.#header, header.mask) + 1;
    if (2 * added < slots || slots >= slotsMax) return;
    if (!growTo(this.#buffer, bytesFor(growth * slots))) return;
    Atomics.store(this.#header, header.added, 0);
    Atomics.compareExchange(this.#header, header.mask, slots - 1, growth * slots - 1);
  }
}
