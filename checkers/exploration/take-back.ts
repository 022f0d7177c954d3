import { ModelError, take } from "../../model/index.ts";
import type { Mate } from "./alike.ts";
import type { Finding } from "./expansion.ts";
import type { Frontier } from "./frontier.ts";
import type { Program } from "./program.ts";
import { GrowingView } from "./shared.ts";
import type { Instance } from "./transitions.ts";

/** What states are made again with: a program of its own, as nobody else's may be packed anew meanwhile. */
export interface TakingBack {
  readonly program: Program;
  readonly frontier: Frontier;
  readonly parents: SharedArrayBuffer;
}

/**
 * Makes rows of states that were not kept, from their parents' ways, and adds them to a level's chunks; judges them where
 * `isNew`. While all workers wait. Returns what was found, and how many were made: not all where memory is used up.
 *
 * It runs the author's functions for every state on these ways. That is slow, and rare: a component must have been read
 * for the first time after many thousands of states.
 */
export function takeBack(
  { program, frontier, parents }: TakingBack,
  mates: readonly Mate[],
  list: 0 | 1,
  isNew: boolean,
): { readonly findings: readonly Finding[]; readonly made: number } {
  const ways = new Ways(program, parents);
  const writer = new Writer(program, frontier, parents, list);
  const findings: Finding[] = [];
  let made = 0;
  for (const { parent, instance } of mates) {
    const row = program.rowOf(ways.after(parent, instance));
    const state = writer.add(row, parent, instance);
    if (state === undefined) break;
    made++;
    const broken = isNew ? program.predicates.check(program.idsOf(row, 0)) : undefined;
    if (broken !== undefined)
      findings.push({ kind: "invariant", property: broken.name, parent, instance, state });
  }
  writer.finish();
  return { findings, made };
}

/** States by their ways from the initial ones. */
class Ways {
  readonly #program: Program;
  readonly #parents: Int32Array;
  readonly #known: Map<number, unknown> = new Map();

  constructor(program: Program, parents: SharedArrayBuffer) {
    this.#program = program;
    this.#parents = new Int32Array(parents, 0, parents.byteLength >>> 2);
  }

  after(parent: number, instance: number): unknown {
    return this.#step(this.#state(parent), instance);
  }

  #state(number: number): unknown {
    const way: number[] = [];
    let at = number;
    for (; at >= 0 && !this.#known.has(at); at = this.#parents[2 * at] as number) way.push(at);
    let state = this.#known.get(at);
    for (const each of way.reverse()) {
      const instance = this.#parents[2 * each + 1] as number;
      const isInitial = (this.#parents[2 * each] as number) < 0;
      state = isInitial ? this.#program.model.initial[instance] : this.#step(state, instance);
      this.#known.set(each, state);
    }
    return state;
  }

  #step(state: unknown, number: number): unknown {
    const { action, parameters } = this.#program.transitions.instances[number] as Instance;
    const after = take(action, state, parameters);
    if (after === undefined) throw new ModelError(`${action.name}: enabled before, and no longer so`);
    return after;
  }
}

/** Fills chunks of its own. */
class Writer {
  readonly #program: Program;
  readonly #frontier: Frontier;
  readonly #parents: GrowingView;
  readonly #list: 0 | 1;
  #chunk = -1;
  #rows = 0;
  #rowsMax = 0;
  #packing = -1;

  constructor(program: Program, frontier: Frontier, parents: SharedArrayBuffer, list: 0 | 1) {
    this.#program = program;
    this.#frontier = frontier;
    this.#parents = new GrowingView(parents);
    this.#list = list;
  }

  /** The number of the state; undefined where memory is used up. */
  add(row: Int32Array, parent: number, instance: number): number | undefined {
    if (!this.#hasChunk()) return undefined;
    const frontier = this.#frontier;
    frontier.rows.set(row, frontier.offset(this.#chunk) + row.length * this.#rows);
    const number = frontier.firstNumber(this.#chunk) + this.#rows++;
    const parents = this.#parents.reach(2 * number + 2);
    parents?.set([parent, instance], 2 * number);
    return parents === undefined ? undefined : number;
  }

  finish(): void {
    if (this.#chunk >= 0) this.#frontier.publish(this.#chunk, this.#rows, this.#list);
    this.#chunk = -1;
  }

  #hasChunk(): boolean {
    const packing = this.#program.packings.length - 1;
    if (this.#chunk >= 0 && this.#packing === packing && this.#rows < this.#rowsMax) return true;
    this.finish();
    this.#rowsMax = this.#frontier.rowsMax(this.#program.stride);
    this.#chunk = this.#frontier.allocate(packing, this.#rowsMax) ?? -1;
    this.#packing = packing;
    this.#rows = 0;
    return this.#chunk >= 0;
  }
}
