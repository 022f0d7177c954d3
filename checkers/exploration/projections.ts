import { addProjections } from "./loops.ts";
import { field } from "./record.ts";
import type { Packing, Row } from "./packing.ts";

const firstCapacity = 2 ** 10;

/**
 * The set of what predicates have seen of the states that were judged: the components that any of them has ever read.
 * A new state that looks like one before need not be judged. Kept as 64-bit hashes of the masked words of rows.
 */
export class Projections {
  /** Hashes added so far, also before resets. */
  added = 0;
  #slots: Int32Array = new Int32Array(2 * firstCapacity);
  #count = 0;
  #masks: Int32Array;

  constructor(packing: Packing) {
    this.#masks = new Int32Array(packing.words);
  }

  get bytes(): number {
    return this.#slots.byteLength;
  }

  /** Other components count from now on: nothing was seen yet. */
  reset(packing: Packing, components: readonly number[]): void {
    this.#masks = new Int32Array(packing.words);
    for (const component of components) {
      const word = packing.word[component] as number;
      this.#masks[word] = (this.#masks[word] as number) | packing.fieldMask(component);
    }
    this.#slots.fill(0);
    this.#count = 0;
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
    base: number,
    fresh: Int32Array,
    begin: number,
    end: number,
    records: Int32Array,
    usual: number,
    unseen: Int32Array,
  ): number {
    this.#reserve(end - begin);
    const count = addProjections(
      rows,
      to,
      stride,
      effects,
      base,
      fresh,
      begin,
      end,
      records,
      field.predicates,
      usual,
      this.#masks,
      this.#slots,
      this.#slots.length / 2 - 1,
      unseen,
    );
    this.#count += count;
    this.added += count;
    return count;
  }

  #reserve(more: number): void {
    let capacity = this.#slots.length / 2;
    if (2 * (this.#count + more) <= capacity) return;
    while (2 * (this.#count + more) > capacity) capacity *= 2;
    const before = this.#slots;
    this.#slots = new Int32Array(2 * capacity);
    for (let from = 0; from < before.length; from += 2) {
      const lo = before[from] as number;
      if (lo === 0) continue;
      let slot = lo & (capacity - 1);
      while (this.#slots[2 * slot] !== 0) slot = (slot + 1) & (capacity - 1);
      this.#slots[2 * slot] = lo;
      this.#slots[2 * slot + 1] = before[from + 1] as number;
    }
  }
}
