import type { Call, SequentialSpecification } from "../../model/light.ts";

/** No state follows. */
export const impossible = -1;
const notYetKnown = -2;
/** Codes up to here stand for several states: `several(code)` lists them. */
const firstSeveral = -3;

/** Above this many cells the dense table gives way to a hash table. */
const denseCellsMax = 1 << 22;

/**
 * A specification turned into integers: states and classes of equal calls are numbered, and the states that follow
 * are computed once for each pair and remembered.
 */
export class Transitions<State> {
  readonly specification: SequentialSpecification<State>;
  readonly classes: readonly Call[];
  readonly states: State[] = [];
  readonly #ids: Map<string, number> = new Map();
  readonly #several: (readonly number[])[] = [];
  #dense: Int32Array;
  #sparse: PairTable | undefined;

  constructor(specification: SequentialSpecification<State>, classes: readonly Call[]) {
    this.specification = specification;
    this.classes = classes;
    this.#dense = new Int32Array(Math.min(64 * classes.length, denseCellsMax)).fill(notYetKnown);
    this.stateId(specification.initial);
  }

  stateId(state: State): number {
    const key = this.specification.key(state);
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.states.length;
      this.#ids.set(key, id);
      this.states.push(state);
    }
    return id;
  }

  /** The state that follows, `impossible`, or a code below it for several. */
  next(state: number, call: number): number {
    const cell = state * this.classes.length + call;
    if (cell < this.#dense.length) {
      const known = this.#dense[cell] as number;
      if (known !== notYetKnown) return known;
    } else if (this.#sparse !== undefined) {
      const known = this.#sparse.get(state, call);
      if (known !== notYetKnown) return known;
    }
    const code = this.#compute(state, call);
    this.#remember(state, call, cell, code);
    return code;
  }

  several(code: number): readonly number[] {
    return this.#several[firstSeveral - code] as readonly number[];
  }

  #compute(state: number, call: number): number {
    const followers = this.specification.step(this.states[state] as State, this.classes[call] as Call);
    if (followers.length === 0) return impossible;
    if (followers.length === 1) return this.stateId(followers[0] as State);
    const ids = [...new Set(followers.map((follower) => this.stateId(follower)))];
    if (ids.length === 1) return ids[0] as number;
    this.#several.push(ids);
    return firstSeveral - (this.#several.length - 1);
  }

  #remember(state: number, call: number, cell: number, code: number): void {
    if (cell >= this.#dense.length && cell < denseCellsMax) {
      const larger = new Int32Array(Math.min(denseCellsMax, Math.max(cell + 1, 2 * this.#dense.length))).fill(
        notYetKnown,
      );
      larger.set(this.#dense);
      this.#dense = larger;
    }
    if (cell < this.#dense.length) {
      this.#dense[cell] = code;
      return;
    }
    this.#sparse ??= new PairTable();
    this.#sparse.set(state, call, code);
  }
}

/** An open-addressing table from pairs of integers to integers; what is absent reads as `notYetKnown`. */
class PairTable {
  #cells: Int32Array = new Int32Array(3 << 12).fill(-1);
  #mask: number = (1 << 12) - 1;
  #size: number = 0;

  get(a: number, b: number): number {
    const slot = 3 * this.#slot(a, b);
    return this.#cells[slot] === -1 ? notYetKnown : (this.#cells[slot + 2] as number);
  }

  set(a: number, b: number, value: number): void {
    if (2 * ++this.#size > this.#mask) this.#grow();
    const slot = 3 * this.#slot(a, b);
    this.#cells[slot] = a;
    this.#cells[slot + 1] = b;
    this.#cells[slot + 2] = value;
  }

  #slot(a: number, b: number): number {
    let slot = (Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & this.#mask;
    while (this.#cells[3 * slot] !== -1 && (this.#cells[3 * slot] !== a || this.#cells[3 * slot + 1] !== b)) {
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }

  #grow(): void {
    const old = this.#cells;
    this.#mask = 2 * this.#mask + 1;
    this.#cells = new Int32Array(3 * (this.#mask + 1)).fill(-1);
    for (let slot = 0; slot < old.length; slot += 3) {
      if (old[slot] === -1) continue;
      const to = 3 * this.#slot(old[slot] as number, old[slot + 1] as number);
      this.#cells.set(old.subarray(slot, slot + 3), to);
    }
  }
}
