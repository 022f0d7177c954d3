import type { UsedSets } from "./used-sets.ts";

/** Of configurations with the same level and state, how many a new one is compared with. */
const comparedMax = 200;

/**
 * The configurations that a search has met: rows of [2 * level (+ 1 when committed), state, discharged...,
 * consumed...], each with the multiset
 * of unanswered operations that it used. The bits are those of the open operations: *discharged* ones need not be
 * linearized any more, *consumed* ones can't be. At the same level and state, one configuration dominates another if
 * it has discharged no less and consumed and used no more: whatever the other can do, it can do, too.
 *
 * Parents are kept, to rebuild the linearization.
 */
export class Configurations {
  readonly width: number;
  readonly #words: number;
  readonly #used: UsedSets;
  #rows: Int32Array;
  /** Per configuration: used multiset, parent, move, next of the same level and state, 1 when dominated. */
  #usedOf: Int32Array;
  #parents: Int32Array;
  #moves: Int32Array;
  #next: Int32Array;
  #dominated: Uint8Array;
  /** Hash table of the first configuration for each level and state. */
  #heads: Int32Array;
  #headsMask: number;
  #headsUsed: number = 0;
  /** Hash table of all configurations, so that none is taken up twice. */
  #all: Int32Array;
  #allMask: number;
  size: number = 0;

  constructor(words: number, used: UsedSets) {
    const capacity = 128;
    this.#words = words;
    this.width = 2 + 2 * words;
    this.#used = used;
    this.#rows = new Int32Array(capacity * this.width);
    this.#usedOf = new Int32Array(capacity);
    this.#parents = new Int32Array(capacity);
    this.#moves = new Int32Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#dominated = new Uint8Array(capacity);
    this.#heads = new Int32Array(2 * capacity).fill(-1);
    this.#headsMask = 2 * capacity - 1;
    this.#all = new Int32Array(4 * capacity).fill(-1);
    this.#allMask = 4 * capacity - 1;
  }

  level(id: number): number {
    return (this.#rows[id * this.width] as number) >> 1;
  }
  state(id: number): number {
    return this.#rows[id * this.width + 1] as number;
  }
  used(id: number): number {
    return this.#usedOf[id] as number;
  }
  parent(id: number): number {
    return this.#parents[id] as number;
  }
  /** The operation linearized last: its index, or ~class for an unanswered one. */
  move(id: number): number {
    return this.#moves[id] as number;
  }
  isDominated(id: number): boolean {
    return this.#dominated[id] === 1;
  }
  copyRow(id: number, to: Int32Array): void {
    const from = id * this.width;
    for (let i = 0; i < this.width; i++) to[i] = this.#rows[from + i] as number;
  }

  /** Bytes held, about. */
  get bytes(): number {
    return (
      4 * (this.#rows.length + 4 * this.#parents.length + this.#heads.length + this.#all.length) +
      this.#dominated.length
    );
  }

  /** The number of a new configuration, or -1 when one that is as good is known. */
  add(row: Int32Array, used: number, parent: number, move: number): number {
    const place = this.#findExact(row, used);
    if (this.#all[place] !== -1) return -1;
    const slot = this.#findHead(row);
    if (this.#isRedundant(slot, row, used)) return -1;
    if (this.size === this.#parents.length) this.#grow();
    const id = this.size++;
    this.#rows.set(row, id * this.width);
    this.#usedOf[id] = used;
    this.#parents[id] = parent;
    this.#moves[id] = move;
    const head = this.#heads[slot] as number;
    this.#next[id] = head;
    this.#heads[slot] = id;
    this.#all[place] = id;
    if (2 * this.size > this.#allMask) this.#rehashAll();
    if (head === -1 && 2 * ++this.#headsUsed > this.#headsMask) this.#rehashHeads();
    return id;
  }

  /** Compares with the latest ones of the same level and state, and takes those out that the new one dominates. */
  #isRedundant(slot: number, row: Int32Array, used: number): boolean {
    let before = -1;
    let other = this.#heads[slot] as number;
    for (let compared = 0; other !== -1 && compared < comparedMax; compared++) {
      const after = this.#next[other] as number;
      const others = this.#usedOf[other] as number;
      const order = this.#compareBits(other * this.width, row);
      if ((order & 1) !== 0 && this.#used.isSubset(others, used)) return true;
      if ((order & 2) !== 0 && this.#used.isSubset(used, others)) {
        this.#dominated[other] = 1;
        if (before === -1) this.#heads[slot] = after === -1 ? other : after;
        else this.#next[before] = after;
        if (before === -1 && after === -1) return false;
      } else before = other;
      other = after;
    }
    return false;
  }

  /** Bit 0: the stored row is at least as good; bit 1: the given one is. */
  #compareBits(from: number, row: Int32Array): number {
    let order = 3;
    const end = 2 + this.#words;
    for (let i = 2; i < end; i++) {
      const [discharged, others] = [row[i] as number, this.#rows[from + i] as number];
      if ((discharged & ~others) !== 0) order &= 2;
      if ((others & ~discharged) !== 0) order &= 1;
      const [consumed, othersConsumed] = [
        row[i + this.#words] as number,
        this.#rows[from + i + this.#words] as number,
      ];
      if ((othersConsumed & ~consumed) !== 0) order &= 2;
      if ((consumed & ~othersConsumed) !== 0) order &= 1;
      if (order === 0) return 0;
    }
    return order;
  }

  #findHead(row: Int32Array): number {
    let slot = mix(row[0] as number, row[1] as number) & this.#headsMask;
    for (;;) {
      const head = this.#heads[slot] as number;
      if (head === -1) return slot;
      const from = head * this.width;
      if (this.#rows[from] === row[0] && this.#rows[from + 1] === row[1]) return slot;
      slot = (slot + 1) & this.#headsMask;
    }
  }

  #findExact(row: Int32Array, used: number): number {
    let place = this.#hashRow(row, 0, used) & this.#allMask;
    for (;;) {
      const id = this.#all[place] as number;
      if (id === -1) return place;
      if (this.#usedOf[id] === used) {
        const from = id * this.width;
        let same = 0;
        while (same < this.width && this.#rows[from + same] === row[same]) same++;
        if (same === this.width) return place;
      }
      place = (place + 1) & this.#allMask;
    }
  }

  #hashRow(rows: Int32Array, from: number, used: number): number {
    let hash = used;
    for (let i = 0; i < this.width; i++) hash = mix(hash, rows[from + i] as number);
    return hash;
  }

  #rehashAll(): void {
    this.#allMask = 2 * this.#allMask + 1;
    this.#all = new Int32Array(this.#allMask + 1).fill(-1);
    for (let id = 0; id < this.size; id++) {
      let place = this.#hashRow(this.#rows, id * this.width, this.#usedOf[id] as number) & this.#allMask;
      while (this.#all[place] !== -1) place = (place + 1) & this.#allMask;
      this.#all[place] = id;
    }
  }

  #rehashHeads(): void {
    const heads = this.#heads.filter((head) => head !== -1);
    this.#headsMask = 2 * this.#headsMask + 1;
    this.#heads = new Int32Array(this.#headsMask + 1).fill(-1);
    for (const head of heads) {
      const from = head * this.width;
      let slot = mix(this.#rows[from] as number, this.#rows[from + 1] as number) & this.#headsMask;
      while (this.#heads[slot] !== -1) slot = (slot + 1) & this.#headsMask;
      this.#heads[slot] = head;
    }
  }

  #grow(): void {
    const capacity = 2 * this.#parents.length;
    this.#rows = grown(this.#rows, capacity * this.width);
    this.#usedOf = grown(this.#usedOf, capacity);
    this.#parents = grown(this.#parents, capacity);
    this.#moves = grown(this.#moves, capacity);
    this.#next = grown(this.#next, capacity);
    const dominated = new Uint8Array(capacity);
    dominated.set(this.#dominated);
    this.#dominated = dominated;
  }
}

function grown(old: Int32Array, length: number): Int32Array {
  const larger = new Int32Array(length);
  larger.set(old);
  return larger;
}

function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ (a >>> 16), 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
