import { headInts, nothing, targetKind } from "./decisions.ts";
import { rowBits, walkGeneration } from "./loops.ts";
import type { Row } from "./packing.ts";
import type { Transitions } from "./transitions.ts";

/** So many rows can be walked at once. */
export const walkRowsMax: number = 2 ** rowBits;

/** Nodes that an item of a walk can tell apart. */
export const walkNodesMax: number = 2 ** (32 - rowBits);

/**
 * Finds what is enabled in many rows at once. The rows go through the decisions side by side, a generation of nodes at
 * a time: neighbours ask the same node, and their cache misses overlap, where one row after the other would wait for
 * each of its own.
 */
export class Walk {
  /** The records of the effects that are enabled, and the rows' offsets in which they are. */
  effects: Int32Array = new Int32Array(1 << 12);
  offsets: Int32Array = new Int32Array(1 << 12);
  /** The offset of the row for which something was learnt last. */
  at = 0;
  readonly #transitions: Transitions;
  #items: Int32Array = new Int32Array(1 << 12);
  #next: Int32Array = new Int32Array(1 << 12);
  /** How many wait for the next generation, and how many effects are enabled. */
  readonly #state: Int32Array = new Int32Array(2);

  constructor(transitions: Transitions) {
    this.#transitions = transitions;
  }

  /** Fills `effects` and `offsets` for at most `walkRowsMax` rows; returns how many there are. */
  run(rows: Row, first: number, stride: number, count: number): number {
    const state = this.#state;
    state[0] = state[1] = 0;
    if (count === 0) return 0;
    this.at = first;
    const start = this.#transitions.start(rows, first);
    for (let row = 0; row < count; row++) {
      this.#reserve(1);
      this.#follow(start, row, first + row * stride);
    }
    while ((state[0] as number) > 0) this.#generation(rows, first, stride);
    return state[1] as number;
  }

  #generation(rows: Row, first: number, stride: number): void {
    const count = this.#state[0] as number;
    [this.#items, this.#next] = [this.#next, this.#items];
    this.#state[0] = 0;
    const { decisions } = this.#transitions;
    for (let i = 0; i < count; i++) {
      this.#reserve(count - i);
      i = walkGeneration(
        decisions.heads,
        decisions.code,
        rows,
        first,
        stride,
        this.#items,
        i,
        count,
        this.#next,
        this.effects,
        this.offsets,
        this.#state,
      );
      if (i < count) this.#learn(this.#items[i] as number, rows, first, stride);
    }
  }

  /** Learns where an item goes on. */
  #learn(item: number, rows: Row, first: number, stride: number): void {
    const { decisions } = this.#transitions;
    const row = item & (walkRowsMax - 1);
    const node = item >>> rowBits;
    this.at = first + row * stride;
    const word = decisions.heads[headInts * node] as number;
    const key = (rows[this.at + word] as number) & (decisions.heads[headInts * node + 1] as number);
    const target = this.#transitions.learn(node, key, rows, this.at);
    this.#reserve(1);
    this.#follow(target, row, this.at);
  }

  /** Notes what a target says of a row: effects that are enabled, nodes to go on with. */
  #follow(target: number, row: number, at: number): void {
    if (target === nothing) return;
    const { code } = this.#transitions.decisions;
    let waiting = this.#state[0] as number;
    let enabled = this.#state[1] as number;
    const number = target >> 2;
    const kind = target & 3;
    if (kind === targetKind.node) {
      this.#next[waiting++] = (number << rowBits) | row;
    } else if (kind === targetKind.effect) {
      this.effects[enabled] = number;
      this.offsets[enabled++] = at;
    } else {
      const endOfEffects = number + 2 + (code[number] as number);
      const end = endOfEffects + (code[number + 1] as number);
      for (let k = number + 2; k < endOfEffects; k++) {
        this.effects[enabled] = code[k] as number;
        this.offsets[enabled++] = at;
      }
      for (let k = endOfEffects; k < end; k++) this.#next[waiting++] = ((code[k] as number) << rowBits) | row;
    }
    this.#state[0] = waiting;
    this.#state[1] = enabled;
  }

  /** Makes room for whatever so many targets may lead to. */
  #reserve(targets: number): void {
    const { widestFork, mostEffects } = this.#transitions.decisions;
    const waiting = (this.#state[0] as number) + targets * widestFork;
    if (waiting > this.#next.length) this.#next = longer(this.#next, 2 * waiting);
    const enabled = (this.#state[1] as number) + targets * mostEffects;
    if (enabled > this.effects.length) {
      this.effects = longer(this.effects, 2 * enabled);
      this.offsets = longer(this.offsets, 2 * enabled);
    }
  }
}

function longer(array: Int32Array, length: number): Int32Array {
  const result = new Int32Array(length);
  result.set(array);
  return result;
}
