import { nothing } from "./decisions.ts";
import type { Transitions } from "./transitions.ts";
import type { Row } from "./row.ts";

/**
 * Finds what is enabled in many rows at once. The rows go through the decisions side by side, a generation of nodes at
 * a time: neighbours ask the same node, and their cache misses overlap, where one row after the other would wait for
 * each of its own.
 */
export class Walk {
  /** The effects that are enabled, and the rows' offsets in which they are. */
  effects: Int32Array = new Int32Array(1 << 12);
  offsets: Int32Array = new Int32Array(1 << 12);
  readonly #transitions: Transitions;
  #nodes: Int32Array = new Int32Array(1 << 12);
  #rows: Int32Array = new Int32Array(1 << 12);
  #nextNodes: Int32Array = new Int32Array(1 << 12);
  #nextRows: Int32Array = new Int32Array(1 << 12);
  #next = 0;
  #enabled = 0;

  constructor(transitions: Transitions) {
    this.#transitions = transitions;
  }

  /** Fills `effects` and `offsets` for so many rows; returns how many there are. */
  run(rows: Row, first: number, stride: number, count: number): number {
    this.#enabled = 0;
    this.#next = 0;
    if (count === 0) return 0;
    const start = this.#transitions.start(rows, first);
    for (let row = 0; row < count; row++) {
      this.#follow(this.#transitions.decisions.code[start] as number, first + row * stride);
    }
    while (this.#next > 0) this.#generation(rows);
    return this.#enabled;
  }

  #generation(rows: Row): void {
    const count = this.#next;
    [this.#nodes, this.#nextNodes] = [this.#nextNodes, this.#nodes];
    [this.#rows, this.#nextRows] = [this.#nextRows, this.#rows];
    if (this.#nextNodes.length < 2 * count) this.#reserve(2 * count);
    const { decisions } = this.#transitions;
    let { code } = decisions;
    const nodes = this.#nodes;
    const ats = this.#rows;
    let nextNodes = this.#nextNodes;
    let nextRows = this.#nextRows;
    let next = 0;
    for (let i = 0; i < count; i++) {
      const at = ats[i] as number;
      const node = nodes[i] as number;
      const id = rows[at + (code[node] as number)] as number;
      const pair = node + 2 + 2 * (id & (code[node + 1] as number));
      let target = code[pair + 1] as number;
      if (code[pair] !== id + 1) {
        // Rare: another id's place, a node that has moved, or something to be learnt.
        target = decisions.lookUp(node, rows, at);
        ({ code } = decisions);
      }
      if ((target & 1) === 0) {
        // Without a branch, as nothing predicts it: a target of "nothing" is overwritten by the next.
        nextNodes[next] = target >> 1;
        nextRows[next] = at;
        next += 1 + (target >> 31);
        continue;
      }
      this.#next = next;
      this.#follow(target, at);
      next = this.#next;
      if (next + count - i >= nextNodes.length) this.#reserve(2 * (next + count));
      nextNodes = this.#nextNodes;
      nextRows = this.#nextRows;
    }
    this.#next = next;
  }

  /** Notes what a target says of a row: effects that are enabled, nodes to go on with. */
  #follow(target: number, at: number): void {
    const { code } = this.#transitions.decisions;
    if (target === nothing) return;
    if (this.#next + 1 >= this.#nextNodes.length) this.#reserve(2 * this.#nextNodes.length);
    if ((target & 1) === 0) {
      this.#nextNodes[this.#next] = target >> 1;
      this.#nextRows[this.#next++] = at;
      return;
    }
    const fork = target >> 1;
    const effects = code[fork] as number;
    const nodes = code[fork + 1] as number;
    if (this.#next + nodes >= this.#nextNodes.length) this.#reserve(2 * (this.#next + nodes));
    if (this.#enabled + effects > this.effects.length) this.#reserveEffects(2 * (this.#enabled + effects));
    let from = fork + 2;
    for (let left = effects; left > 0; left--) {
      this.effects[this.#enabled] = code[from++] as number;
      this.offsets[this.#enabled++] = at;
    }
    for (let left = nodes; left > 0; left--) {
      this.#nextNodes[this.#next] = code[from++] as number;
      this.#nextRows[this.#next++] = at;
    }
  }

  #reserve(length: number): void {
    this.#nextNodes = longer(this.#nextNodes, length);
    this.#nextRows = longer(this.#nextRows, length);
  }

  #reserveEffects(length: number): void {
    this.effects = longer(this.effects, length);
    this.offsets = longer(this.offsets, length);
  }
}

function longer(array: Int32Array, length: number): Int32Array {
  const result = new Int32Array(length);
  result.set(array);
  return result;
}
