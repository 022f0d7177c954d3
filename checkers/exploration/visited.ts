import { rehash } from "./loops.ts";
import { word, GrowingView } from "./shared.ts";
import { isBefore } from "./spill.ts";

/** Ints of a slot. */
export const slotInts = 2;
/** Slots after the last home, into which the last cluster runs over. */
const overhang = 4096;
const firstCapacity = 2 ** 16;
/** It grows when it is fuller than this, */
export const loadMax = 0.8;
/** by this factor: the table takes 10 to 15 bytes a state. */
const growth = 1.5;

/**
 * The set of fingerprints: open addressing with linear probing in memory that all workers share. A slot's first half
 * is claimed by compare-and-exchange, its second half published after it; neither is ever 0.
 *
 * A fingerprint's home is its first half scaled to the capacity, so that the table is nearly sorted, and growing moves
 * every entry upwards: it is done in place, from the end.
 */
export class Visited {
  readonly #control: Int32Array;
  readonly #view: GrowingView;
  slots: Int32Array = new Int32Array(0);
  /** Multiplied with a first half it gives the home slot. */
  scale = 0;

  constructor(control: Int32Array, buffer: SharedArrayBuffer) {
    this.#control = control;
    this.#view = new GrowingView(buffer);
    if (this.capacity === 0) {
      this.#view.reach(2 * (firstCapacity + overhang));
      control[word.capacity] = firstCapacity;
    }
    this.refresh();
  }

  get capacity(): number {
    return this.#control[word.capacity] as number;
  }

  get distinct(): number {
    return this.#control[word.distinct] as number;
  }

  get bytes(): number {
    return 8 * (this.capacity + overhang);
  }

  /** What it will take after its next growth. */
  get bytesGrown(): number {
    return 8 * (this.#nextCapacity + overhang);
  }

  get #nextCapacity(): number {
    return Math.ceil(this.capacity * growth);
  }

  /** Whether `more` entries can be added before it must grow. */
  hasRoom(more: number): boolean {
    return (this.#control[word.inTable] as number) + more <= this.capacity * loadMax;
  }

  /** Takes over what another worker has grown. */
  refresh(): void {
    this.slots = this.#view.reach(2 * (this.capacity + overhang)) as Int32Array;
    this.scale = this.capacity / 2 ** 32;
  }

  /** Adds a fingerprint and tells whether it is new. Both halves must differ from 0. */
  add(lo: number, hi: number): boolean {
    const { slots } = this;
    let at = 2 * (((lo >>> 0) * this.scale) | 0);
    for (;;) {
      let found = slots[at] as number;
      if (found === 0) {
        found = Atomics.compareExchange(slots, at, 0, lo);
        if (found === 0) {
          Atomics.store(slots, at + 1, hi);
          return true;
        }
      }
      if (found === lo) {
        let second = slots[at + 1] as number;
        while (second === 0) second = Atomics.load(slots, at + 1);
        if (second === hi) return false;
      }
      at += 2;
      if (at >= slots.length) throw new RangeError("the table of fingerprints ran over");
    }
  }

  /** The slot of a fingerprint; -1 where it is not there. Slots change when the table grows. */
  slot(lo: number, hi: number): number {
    const { slots } = this;
    for (let at = 2 * (((lo >>> 0) * this.scale) | 0); slots[at] !== 0; at += 2) {
      if (slots[at] === lo && slots[at + 1] === hi) return at >>> 1;
    }
    return -1;
  }

  /** Slots are numbered below this. */
  get slotsMax(): number {
    return this.capacity + overhang;
  }

  /** Calls `visit` with each fingerprint, in the order of `isBefore`, and its slot. */
  forEachSorted(visit: (lo: number, hi: number, slot: number) => void): void {
    const { slots } = this;
    const end = 2 * this.slotsMax;
    const cluster: number[] = [];
    // Homes rise from one cluster of neighbours to the next, so that each can be sorted alone.
    for (let at = 0; at < end;) {
      if (slots[at] === 0) {
        at += 2;
        continue;
      }
      cluster.length = 0;
      for (; at < end && slots[at] !== 0; at += 2) cluster.push(at);
      cluster.sort((a, b) =>
        isBefore(slots[a] as number, slots[a + 1] as number, slots[b] as number, slots[b + 1] as number)
          ? -1
          : 1,
      );
      for (const entry of cluster) visit(slots[entry] as number, slots[entry + 1] as number, entry >>> 1);
    }
  }

  /** Forgets all entries. Nobody else may use the table meanwhile. */
  clear(): void {
    this.slots.fill(0, 0, 2 * this.slotsMax);
    this.#control[word.inTable] = 0;
  }

  /** Grows in place. Nobody else may use the table meanwhile. Returns false where there is no memory for it. */
  grow(): boolean {
    const before = this.capacity;
    const capacity = this.#nextCapacity;
    const slots = this.#view.reach(2 * (capacity + overhang));
    if (slots === undefined) return false;
    this.#control[word.capacity] = capacity;
    this.refresh();
    const early = rehash(slots, before + overhang, this.scale);
    for (let i = 0; i < early.length; i += 2) this.add(early[i] as number, early[i + 1] as number);
    return true;
  }
}
