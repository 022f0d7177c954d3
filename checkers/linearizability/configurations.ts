import type { UsedSets } from "./used-sets.ts";

/**
 * The configurations that a search has met: rows of [level, state, bits of the linearized open operations...], each
 * with the multiset of unanswered operations it used. Of configurations with equal rows only those stay whose
 * multiset contains no other's. Parents are kept, to rebuild the linearization.
 */
export class Configurations {
  readonly width: number;
  readonly #used: UsedSets;
  #rows: Int32Array;
  /** Per configuration: used multiset, parent, move, next of equal row, 1 when dominated. */
  #usedOf: Int32Array;
  #parents: Int32Array;
  #moves: Int32Array;
  #next: Int32Array;
  #dominated: Uint8Array;
  #slots: Int32Array;
  #mask: number;
  #heads: number = 0;
  size: number = 0;

  constructor(words: number, used: UsedSets) {
    const capacity = 128;
    this.width = 2 + words;
    this.#used = used;
    this.#rows = new Int32Array(capacity * this.width);
    this.#usedOf = new Int32Array(capacity);
    this.#parents = new Int32Array(capacity);
    this.#moves = new Int32Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#dominated = new Uint8Array(capacity);
    this.#slots = new Int32Array(4 * capacity).fill(-1);
    this.#mask = 4 * capacity - 1;
  }

  level(id: number): number {
    return this.#rows[id * this.width] as number;
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
    return 4 * (this.#rows.length + 4 * this.#parents.length + this.#slots.length) + this.#dominated.length;
  }

  /** The number of a new configuration, or -1 when one that is as good is known. */
  add(row: Int32Array, used: number, parent: number, move: number): number {
    const slot = this.#find(row);
    const head = this.#slots[slot] as number;
    for (let other = head; other !== -1; other = this.#next[other] as number) {
      if (this.#dominated[other] === 1) continue;
      const others = this.#usedOf[other] as number;
      if (this.#used.isSubset(others, used)) return -1;
      if (this.#used.isSubset(used, others)) this.#dominated[other] = 1;
    }
    if (this.size === this.#parents.length) this.#grow();
    const id = this.size++;
    this.#rows.set(row, id * this.width);
    this.#usedOf[id] = used;
    this.#parents[id] = parent;
    this.#moves[id] = move;
    this.#next[id] = head;
    this.#slots[slot] = id;
    if (head === -1 && 2 * ++this.#heads > this.#mask) this.#rehash();
    return id;
  }

  #hash(rows: Int32Array, from: number): number {
    let hash = 0;
    for (let i = 0; i < this.width; i++) {
      hash = Math.imul(hash ^ (rows[from + i] as number), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash & this.#mask;
  }

  #find(row: Int32Array): number {
    let slot = this.#hash(row, 0);
    for (;;) {
      const head = this.#slots[slot] as number;
      if (head === -1) return slot;
      const from = head * this.width;
      let same = 0;
      while (same < this.width && this.#rows[from + same] === row[same]) same++;
      if (same === this.width) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  #rehash(): void {
    const heads = this.#slots.filter((head) => head !== -1);
    this.#mask = 2 * this.#mask + 1;
    this.#slots = new Int32Array(this.#mask + 1).fill(-1);
    for (const head of heads) {
      let slot = this.#hash(this.#rows, head * this.width);
      while (this.#slots[slot] !== -1) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = head;
    }
  }

  #grow(): void {
    const capacity = 2 * this.#parents.length;
    const grown = (old: Int32Array, length: number): Int32Array => {
      const larger = new Int32Array(length);
      larger.set(old);
      return larger;
    };
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
