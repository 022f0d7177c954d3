import type { Value } from "../../model/index.ts";
import type { Change } from "./evaluation.ts";
import type { Fingerprints } from "./fingerprints.ts";

/** Translates between a component's ids and its values. */
export interface Values {
  valueOf(component: number, id: number): Value;
  /** Throws ModelError for what is no value. */
  idOf(component: number, value: Value): number;
}

/** Ints of an update's head: [start of its entries in `table`, mask]. */
export const updateHeadInts = 2;

/**
 * What components become that effects update: for each component and change update a small hash table, by the id before, of
 * [id before + 1, id after, the fingerprints' change...]. An id before that is met for the first time is learnt by
 * applying the author's function to its value.
 */
export class Updates {
  heads: Int32Array = new Int32Array(1 << 10);
  table: Int32Array = new Int32Array(1 << 12);
  readonly #components: number[] = [];
  readonly #changes: Change[] = [];
  readonly #known: number[] = [];
  readonly #numbers: Map<string, number> = new Map();
  readonly #fingerprints: Fingerprints;
  readonly #values: Values;
  #used = 0;

  constructor(fingerprints: Fingerprints, values: Values) {
    this.#fingerprints = fingerprints;
    this.#values = values;
  }

  get bytes(): number {
    return this.heads.byteLength + this.table.byteLength + 100 * this.#components.length;
  }

  /** The number of an update. */
  number(component: number, change: Change): number {
    const key = `${component} ${change.key}`;
    let number = this.#numbers.get(key);
    if (number === undefined) this.#numbers.set(key, (number = this.#add(component, change)));
    return number;
  }

  #add(component: number, change: Change): number {
    const update = this.#components.push(component) - 1;
    this.#changes.push(change);
    this.#known.push(0);
    const head = updateHeadInts * update;
    if (head + updateHeadInts > this.heads.length) this.heads = withRoom(this.heads, 2 * this.heads.length);
    this.heads[head] = this.#allocate(2);
    this.heads[head + 1] = 1;
    return update;
  }

  idAfter(update: number, before: number): number {
    const entry = this.#find(update, before);
    return this.table[entry] === 0 ? this.#learn(update, before) : (this.table[entry + 1] as number);
  }

  #learn(update: number, before: number): number {
    const component = this.#components[update] as number;
    const change = this.#changes[update] as Change;
    const after = this.#values.idOf(component, change.apply(this.#values.valueOf(component, before)));
    const head = updateHeadInts * update;
    const known = ((this.#known[update] as number) + 1) * 2;
    this.#known[update] = known / 2;
    if (known > (this.heads[head + 1] as number) + 1) this.#widen(update);
    const entry = this.#find(update, before);
    const { hashes, hashAt, width } = this.#fingerprints;
    this.table[entry] = before + 1;
    this.table[entry + 1] = after;
    const from = (hashAt[component] as number) + before * width;
    const to = (hashAt[component] as number) + after * width;
    for (let i = 0; i < width; i++) {
      this.table[entry + 2 + i] = (hashes[from + i] as number) ^ (hashes[to + i] as number);
    }
    return after;
  }

  /** The entry of an id, or the free one where it belongs. */
  #find(update: number, before: number): number {
    const start = this.heads[updateHeadInts * update] as number;
    const mask = this.heads[updateHeadInts * update + 1] as number;
    const ints = this.#entryInts;
    let slot = before & mask;
    for (;;) {
      const entry = start + ints * slot;
      const key = this.table[entry] as number;
      if (key === 0 || key === before + 1) return entry;
      slot = (slot + 1) & mask;
    }
  }

  #widen(update: number): void {
    const head = updateHeadInts * update;
    const before = this.heads[head] as number;
    const size = (this.heads[head + 1] as number) + 1;
    const ints = this.#entryInts;
    const start = this.#allocate(2 * size);
    this.heads[head] = start;
    this.heads[head + 1] = 2 * size - 1;
    for (let entry = before; entry < before + ints * size; entry += ints) {
      const key = this.table[entry] as number;
      if (key !== 0) this.table.copyWithin(this.#find(update, key - 1), entry, entry + ints);
    }
  }

  get #entryInts(): number {
    return 2 + this.#fingerprints.width;
  }

  #allocate(entries: number): number {
    const start = this.#used;
    this.#used += this.#entryInts * entries;
    if (this.#used > this.table.length)
      this.table = withRoom(this.table, Math.max(this.#used, 2 * this.table.length));
    return start;
  }
}

function withRoom(array: Int32Array, length: number): Int32Array {
  const result = new Int32Array(length);
  result.set(array);
  return result;
}
