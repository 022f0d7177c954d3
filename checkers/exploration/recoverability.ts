import type { Now, Recoverable } from "../../model/index.ts";
import { leastFingerprint } from "./fingerprints.ts";
import { pathTo, type Path } from "./paths.ts";
import type { Program } from "./program.ts";
import { field } from "./record.ts";
import { PackingOutgrown, type Packing, type Row } from "./packing.ts";
import { attempt } from "./transitions.ts";
import { Trie } from "./trie.ts";
import type { Visited } from "./visited.ts";
import { Walk } from "./walk.ts";

/** What was found of one `recoverable` property. */
export interface Recovery {
  readonly name: string;
  /** States from which the goal must remain reachable. */
  readonly required: number;
  /** The first of them, breadth-first, from which it is not; and how many states can still be reached from there. */
  readonly trap: { readonly path: Path; readonly states: number } | undefined;
}

/** Thrown where the graph takes more memory than allowed. */
export class GraphTooLarge extends Error {}

/**
 * From every reachable state that satisfies `from`, can some state that satisfies `to` still be reached?
 * A second pass through a completed exploration keeps the graph's edges; then the states from which the goal can be
 * reached are found backwards.
 */
export function checkRecoverability(program: Program, visited: Visited, memoryBytesMax: number): Recovery[] {
  const graph = new Graph(program, visited, memoryBytesMax);
  return (program.model.recoverable ?? []).map((property) => graph.judge(property));
}

class Graph {
  readonly #program: Program;
  readonly #bytesMax: number;
  /** States are numbered as they are met; their rows, one after the other. */
  #rows: Row;
  #parents: Int32Array;
  #states = 0;
  /** Edges by pairs [from, to]. */
  #edges: Int32Array = new Int32Array(1 << 16);
  #edgeCount = 0;
  readonly #walk: Walk;
  #pair: readonly [Row, Row] = [new Int32Array(0), new Int32Array(0)];
  readonly #trie: Trie;
  /** In which the rows are written. */
  #packing: Packing;

  constructor(program: Program, visited: Visited, bytesMax: number) {
    this.#program = program;
    this.#bytesMax = bytesMax;
    const states = visited.slotsMax;
    const distinct = visited.distinct;
    this.#packing = program.packing;
    this.#walk = new Walk(program.transitions);
    const { words } = this.#packing;
    this.#trie = new Trie(program.layout.components.length);
    this.#require(4 * states + 4 * distinct * (words + 2));
    this.#rows = new Int32Array(distinct * words);
    this.#parents = new Int32Array(2 * distinct);
    this.#walkAll(visited, new Int32Array(states).fill(-1));
  }

  #require(bytes: number): void {
    if (bytes + 4 * this.#edges?.length > this.#bytesMax) throw new GraphTooLarge("the graph is too large");
  }

  /**
   * Meets all states. Under symmetry others may stand for their orbits than in the exploration, with values that it has
   * not met: then the packing is outgrown, and the state is walked from once more.
   */
  #walkAll(visited: Visited, numberOf: Int32Array): void {
    const { model } = this.#program;
    const meet = (met: Row, parent: number, instance: number): number =>
      this.#meet(visited, numberOf, met, parent, instance);
    for (const [index, state] of model.initial.entries()) {
      const row = this.#program.rowOf(state);
      this.#follow();
      meet(row, -1, index);
    }
    for (let state = 0; state < this.#states; state++) {
      const edges = this.#edgeCount;
      for (;;) {
        try {
          this.#expand(state, meet);
          break;
        } catch (error) {
          if (!(error instanceof PackingOutgrown)) throw error;
          this.#edgeCount = edges;
          this.#program.repack();
          this.#follow();
        }
      }
    }
  }

  /** The number of a state; -1 where it is none of the graph's. */
  #meet(visited: Visited, numberOf: Int32Array, met: Row, parent: number, instance: number): number {
    const { words } = this.#packing;
    const { lo, hi } = leastFingerprint(met, words, this.#program.fingerprints.width);
    const slot = visited.slot(lo, hi);
    if (slot < 0) return -1;
    const known = numberOf[slot] as number;
    if (known >= 0) return known;
    const state = this.#states++;
    numberOf[slot] = state;
    this.#rows.set(met.subarray(0, words), state * words);
    this.#parents[2 * state] = parent;
    this.#parents[2 * state + 1] = instance;
    return state;
  }

  #expand(state: number, meet: (met: Row, parent: number, instance: number) => number): void {
    const { transitions, stride, fingerprints } = this.#program;
    const { effects } = transitions;
    const { words } = this.#packing;
    const [row, after] = this.#scratch(stride);
    row.set(this.#rows.subarray(state * words, (state + 1) * words));
    fingerprints.write(this.#program.idsOf(row, 0), row, words);
    const enabled = this.#walk.run(row, 0, stride, 1);
    for (let i = 0; i < enabled; i++) {
      const at = this.#walk.effects[i] as number;
      after.set(row);
      effects.replay(at, after, 0);
      const to = meet(after, state, effects.records[at + field.instance] as number);
      // A successor beyond the constraint is no state of the graph.
      if (to >= 0 && to !== state) this.#addEdge(state, to);
    }
  }

  /** Two rows to work on. */
  #scratch(stride: number): readonly [Row, Row] {
    if (this.#pair[0].length !== stride) this.#pair = [new Int32Array(stride), new Int32Array(stride)];
    return this.#pair;
  }

  /** Writes the rows anew where the program packs them otherwise now. */
  #follow(): void {
    const from = this.#packing;
    const { packing } = this.#program;
    if (from === packing) return;
    const capacity = this.#parents.length / 2;
    this.#require(4 * capacity * (from.words + packing.words));
    const rows = new Int32Array(capacity * packing.words);
    const ids = new Int32Array(this.#program.layout.components.length);
    for (let state = 0; state < this.#states; state++) {
      from.unpack(this.#rows, state * from.words, ids);
      packing.pack(ids, rows, state * packing.words);
    }
    this.#rows = rows;
    this.#packing = packing;
  }

  #addEdge(from: number, to: number): void {
    if (2 * this.#edgeCount + 2 > this.#edges.length) {
      this.#require(4 * this.#rows.length + 16 * this.#edges.length);
      const longer = new Int32Array(2 * this.#edges.length);
      longer.set(this.#edges);
      this.#edges = longer;
    }
    this.#edges[2 * this.#edgeCount] = from;
    this.#edges[2 * this.#edgeCount++ + 1] = to;
  }

  judge({ name, from, to }: Recoverable<unknown>): Recovery {
    const isGoal = this.#predicate(`${name} (to)`, to);
    const isRequired = from === undefined ? () => true : this.#predicate(`${name} (from)`, from);
    const goals: number[] = [];
    for (let state = 0; state < this.#states; state++) if (isGoal(state)) goals.push(state);
    const canReach = this.#closure(goals, true);
    let required = 0;
    let trapped = -1;
    for (let state = 0; state < this.#states; state++) {
      if (!isRequired(state)) continue;
      required++;
      if (canReach[state] === 0 && trapped < 0) trapped = state;
    }
    if (trapped < 0) return { name, required, trap: undefined };
    const states = this.#closure([trapped], false).reduce((sum, marked) => sum + marked, 0);
    return { name, required, trap: { path: pathTo(this.#program, this.#parents, trapped), states } };
  }

  /** Whether a state satisfies something, remembered by what it reads. */
  #predicate(name: string, holds: (now: Now<unknown>) => boolean): (state: number) => boolean {
    const { recorder } = this.#program;
    let root = 0;
    return (state) => {
      const ids = this.#program.idsOf(this.#rows, state * this.#packing.words);
      let leaf = this.#trie.find(root, ids);
      if (leaf === 0) {
        leaf = attempt(
          () => name,
          () => (recorder.read(ids, () => holds(recorder.now as Now<unknown>)) ? -1 : -2),
        );
        root = this.#trie.insert(root, recorder.reads, recorder.ids, leaf);
      }
      return leaf === -1;
    };
  }

  /** 1 for each state that the edges lead to from some, or backwards. */
  #closure(from: readonly number[], backwards: boolean): Uint8Array {
    const [near, far] = backwards ? [1, 0] : [0, 1];
    const first = new Int32Array(this.#states + 1);
    for (let e = 0; e < this.#edgeCount; e++) {
      const at = (this.#edges[2 * e + near] as number) + 1;
      first[at] = (first[at] as number) + 1;
    }
    for (let state = 0; state < this.#states; state++) {
      first[state + 1] = (first[state + 1] as number) + (first[state] as number);
    }
    const fill = first.slice();
    const neighbours = new Int32Array(this.#edgeCount);
    for (let e = 0; e < this.#edgeCount; e++) {
      const at = this.#edges[2 * e + near] as number;
      neighbours[fill[at] as number] = this.#edges[2 * e + far] as number;
      fill[at] = (fill[at] as number) + 1;
    }
    const marked = new Uint8Array(this.#states);
    const todo = from.slice();
    for (const state of from) marked[state] = 1;
    while (todo.length > 0) {
      const state = todo.pop() as number;
      for (let i = first[state] as number; i < (first[state + 1] as number); i++) {
        const next = neighbours[i] as number;
        if (marked[next] === 1) continue;
        marked[next] = 1;
        todo.push(next);
      }
    }
    return marked;
  }
}
