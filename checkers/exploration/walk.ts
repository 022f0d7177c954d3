import { nothing } from "./decisions.ts";
import { walkGeneration } from "./loops.ts";
import type { Row } from "./row.ts";
import type { Transitions } from "./transitions.ts";

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
  /** How many wait for the next generation, and how many effects are enabled. */
  readonly #state: Int32Array = new Int32Array(2);

  constructor(transitions: Transitions) {
    this.#transitions = transitions;
  }

  /** Fills `effects` and `offsets` for so many rows; returns how many there are. */
  run(rows: Row, first: number, stride: number, count: number): number {
    const state = this.#state;
    state[0] = state[1] = 0;
    if (count === 0) return 0;
    const start = this.#transitions.start(rows, first);
    for (let row = 0; row < count; row++) {
      this.#reserve(1);
      this.#follow(this.#transitions.decisions.code[start] as number, first + row * stride);
    }
    while ((state[0] as number) > 0) this.#generation(rows);
    return state[1] as number;
  }

  #generation(rows: Row): void {
    const count = this.#state[0] as number;
    [this.#nodes, this.#nextNodes] = [this.#nextNodes, this.#nodes];
    [this.#rows, this.#nextRows] = [this.#nextRows, this.#rows];
    this.#state[0] = 0;
    const { decisions } = this.#transitions;
    for (let i = 0; i < count; i++) {
      this.#reserve(count - i);
      i = walkGeneration(
        decisions.code,
        rows,
        this.#nodes,
        this.#rows,
        i,
        count,
        this.#nextNodes,
        this.#nextRows,
        this.effects,
        this.offsets,
        this.#state,
      );
      if (i === count) return;
      // Another id's place, a node that has moved, or something to be learnt.
      const at = this.#rows[i] as number;
      const target = decisions.lookUp(this.#nodes[i] as number, rows, at);
      this.#reserve(1);
      this.#follow(target, at);
    }
  }

  /** Notes what a target says of a row: effects that are enabled, nodes to go on with. */
  #follow(target: number, at: number): void {
    const { code } = this.#transitions.decisions;
    if (target === nothing) return;
    let next = this.#state[0] as number;
    let enabled = this.#state[1] as number;
    if ((target & 1) === 0) {
      this.#nextNodes[next] = target >> 1;
      this.#nextRows[next++] = at;
    } else {
      let from = (target >> 1) + 2;
      for (let left = code[from - 2] as number; left > 0; left--) {
        this.effects[enabled] = code[from++] as number;
        this.offsets[enabled++] = at;
      }
      for (let left = code[(target >> 1) + 1] as number; left > 0; left--) {
        this.#nextNodes[next] = code[from++] as number;
        this.#nextRows[next++] = at;
      }
    }
    this.#state[0] = next;
    this.#state[1] = enabled;
  }

  /** Makes room for whatever so many targets may lead to. */
  #reserve(targets: number): void {
    const { widestFork, mostEffects } = this.#transitions.decisions;
    const next = (this.#state[0] as number) + targets * widestFork;
    if (next > this.#nextNodes.length) {
      this.#nextNodes = longer(this.#nextNodes, 2 * next);
      this.#nextRows = longer(this.#nextRows, 2 * next);
    }
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
