import { leastFingerprint } from "./fingerprints.ts";
import type { Frontier } from "./frontier.ts";
import type { Program } from "./program.ts";
import { chunkRows, GrowingView } from "./shared.ts";
import { effect, idBits, replayEffect, shapeBits } from "./transitions.ts";
import type { Visited } from "./visited.ts";
import { Walk } from "./walk.ts";
import { bitsAt, makeRow, type Row } from "./row.ts";

/** Successors that are looked up together, so that the cache misses of their first looks overlap. */
export const batchMax = 4096;

/** Something found at a step, or at an initial state: then `parent` is -1 and `instance` its number. */
export interface Finding {
  readonly kind: "invariant" | "step" | "deadlock";
  readonly property: string;
  /** The number of the state before. */
  readonly parent: number;
  readonly instance: number;
  /** The number of the state after, where it is stored. */
  readonly state: number;
}

/** What an expansion needs of its surroundings. */
export interface Surroundings {
  /** Makes room for so many new states, waiting for the others if need be. False when there is none. */
  makeRoom(states: number): boolean;
  found(finding: Finding): void;
}

/** Expands chunks of the current level into chunks of the next. One for each worker. */
export class Expansion {
  /** Successors and new states by instance. */
  readonly generated: number[] = [];
  readonly fresh: number[] = [];
  /** The number of the state whose predicates are being judged; -1 while steps are. */
  subject = -1;
  /** The number of a row of the chunk at hand. */
  numberAt: (offset: number) => number = () => 0;
  /** New states since it was last set to 0. */
  added = 0;
  readonly #program: Program;
  readonly #visited: Visited;
  readonly #frontier: Frontier;
  readonly #parents: GrowingView;
  readonly #surroundings: Surroundings;
  readonly #checkDeadlock: boolean;
  readonly #components: number;
  readonly #width: number;
  readonly #walk: Walk;
  readonly #lo: Int32Array = new Int32Array(batchMax);
  readonly #hi: Int32Array = new Int32Array(batchMax);
  /** What stood at the homes: only read to have it in the cache. */
  readonly #homes: Int32Array = new Int32Array(batchMax);
  readonly #scratch: Row;
  /** The chunk being filled, and how far. */
  #out = -1;
  #outRows = 0;
  #outAt = 0;
  #outNumber = 0;
  #outParents: Int32Array = new Int32Array(0);

  constructor(
    program: Program,
    visited: Visited,
    frontier: Frontier,
    parents: SharedArrayBuffer,
    surroundings: Surroundings,
    options: { readonly deadlock: boolean },
  ) {
    this.#program = program;
    this.#visited = visited;
    this.#frontier = frontier;
    this.#parents = new GrowingView(parents);
    this.#surroundings = surroundings;
    this.#checkDeadlock = options.deadlock;
    this.#components = program.layout.components.length;
    this.#width = program.fingerprints.width;
    this.#walk = new Walk(program.transitions);
    this.#scratch = makeRow(program.stride, program.wide);
  }

  /** Adds an initial state. */
  addInitial(row: Row, index: number): boolean {
    const { predicates } = this.#program;
    if (!this.#surroundings.makeRoom(1)) return false;
    const constraint = predicates.constraint(row, 0);
    const broken = predicates.check(row, 0);
    const { lo, hi } = leastFingerprint(row, this.#components, this.#width);
    if (constraint && this.#visited.add(lo, hi)) {
      this.added++;
      const number = this.#append(row, 0, -1, index);
      if (number < 0) return false;
      if (broken !== undefined) this.#found("invariant", broken.name, -1, index, number);
    } else if (!constraint && broken !== undefined) this.#found("invariant", broken.name, -1, index, -1);
    return true;
  }

  /** Expands one chunk of the current level. False when memory is used up. */
  expand(chunk: number): boolean {
    const { stride } = this.#program;
    const rows = this.#frontier.rows;
    const first = this.#frontier.offset(chunk);
    const count = this.#frontier.rowCount(chunk);
    const firstNumber = this.#frontier.firstNumber(chunk);
    // For what a model throws: by default the row at hand is one of this chunk.
    this.subject = -1;
    this.numberAt = (offset) => firstNumber + (offset - first) / stride;
    const enabled = this.#walk.run(rows, first, stride, count);
    if (this.#checkDeadlock) this.#findDeadlocks(enabled, first, count, firstNumber);
    for (let from = 0; from < enabled; from += batchMax) {
      const to = Math.min(enabled, from + batchMax);
      if (!this.#surroundings.makeRoom(to - from)) return false;
      this.#fingerprint(rows, from, to);
      if (!this.#addAll(rows, from, to, first, firstNumber)) return false;
    }
    return true;
  }

  /** Hands over the chunk in work. */
  finish(): void {
    if (this.#out >= 0 && this.#outRows > 0) this.#frontier.publish(this.#out, this.#outRows);
    else if (this.#out >= 0) this.#frontier.release(this.#out);
    this.#out = -1;
  }

  #findDeadlocks(enabled: number, first: number, count: number, firstNumber: number): void {
    const { stride } = this.#program;
    const alive = new Set(this.#walk.offsets.subarray(0, enabled));
    for (let row = 0; row < count; row++) {
      if (!alive.has(first + row * stride)) this.#found("deadlock", "Deadlock", -1, -1, firstNumber + row);
    }
  }

  /** The fingerprints of a batch of successors, and a first look at their homes. */
  #fingerprint(rows: Row, begin: number, end: number): void {
    const { effects, offsets } = this.#walk;
    const { transitions, fingerprints } = this.#program;
    const records = transitions.effects;
    const { tables } = fingerprints;
    const width = this.#width;
    const components = this.#components;
    const { slots, scale } = this.#visited;
    for (let i = begin; i < end; i++) {
      const at = effects[i] as number;
      const from = offsets[i] as number;
      const unread = (records[at + effect.shape] as number) >>> shapeBits;
      const writes = at + effect.change + width;
      let leastLo = 0;
      let leastHi = 0;
      for (let p = 0; p < width; p += 2) {
        let lo = bitsAt(rows, from + components + 2 * p) ^ (records[at + effect.change + p] as number);
        let hi =
          bitsAt(rows, from + components + 2 * p + 2) ^ (records[at + effect.change + p + 1] as number);
        for (let w = writes; w < writes + unread; w++) {
          const component = (records[w] as number) >>> idBits;
          const table = tables[component] as Int32Array;
          const entry = (rows[from + component] as number) * width + p;
          lo ^= table[entry] as number;
          hi ^= table[entry + 1] as number;
        }
        if (p === 0 || hi < leastHi || (hi === leastHi && lo < leastLo)) {
          leastLo = lo;
          leastHi = hi;
        }
      }
      if (leastLo === 0) leastLo = 1;
      if (leastHi === 0) leastHi = 1;
      this.#lo[i - begin] = leastLo;
      this.#hi[i - begin] = leastHi;
      this.#homes[i - begin] = slots[2 * (((leastLo >>> 0) * scale) | 0)] as number;
    }
  }

  #addAll(rows: Row, begin: number, end: number, first: number, firstNumber: number): boolean {
    const { effects, offsets } = this.#walk;
    const program = this.#program;
    const { transitions, predicates, stepProperties, stride } = program;
    const hasStepProperties = stepProperties.properties.length > 0;
    const visited = this.#visited;
    const records = transitions.effects;
    const { generated, fresh } = this;
    while (generated.length < transitions.instances.length) {
      generated.push(0);
      fresh.push(0);
    }
    for (let i = begin; i < end; i++) {
      const at = effects[i] as number;
      const from = offsets[i] as number;
      const instance = records[at] as number;
      generated[instance] = (generated[instance] as number) + 1;
      if (hasStepProperties) {
        const broken = stepProperties.check(rows, from, at, predicates.stepsConcerned(at));
        if (broken !== undefined)
          this.#found("step", broken, firstNumber + (from - first) / stride, instance, -1);
      }
      if (
        predicates.hasConstraint &&
        !this.#satisfiesConstraint(rows, from, at, firstNumber + (from - first) / stride)
      )
        continue;
      if (!visited.add(this.#lo[i - begin] as number, this.#hi[i - begin] as number)) continue;
      fresh[instance] = (fresh[instance] as number) + 1;
      this.added++;
      const parent = firstNumber + (from - first) / stride;
      const number = this.#append(rows, from, parent, instance);
      if (number < 0) return false;
      const out = this.#frontier.rows;
      replayEffect(program, out, this.#outAt - stride, at);
      this.subject = number;
      const broken = predicates.checkAfter(at, out, this.#outAt - stride);
      this.subject = -1;
      if (broken !== undefined) this.#found("invariant", broken.name, parent, instance, number);
    }
    return true;
  }

  /** A successor that breaks the constraint is checked, and neither stored nor expanded. */
  #satisfiesConstraint(rows: Row, from: number, at: number, parent: number): boolean {
    const { predicates, transitions, stride } = this.#program;
    const scratch = this.#scratch;
    for (let i = 0; i < stride; i++) scratch[i] = rows[from + i] as number;
    replayEffect(this.#program, scratch, 0, at);
    if (predicates.constraint(scratch, 0)) return true;
    const broken = predicates.checkAfter(at, scratch, 0);
    if (broken !== undefined) {
      this.#found("invariant", broken.name, parent, transitions.effects[at] as number, -1);
    }
    return false;
  }

  /** Copies a row to the end of the chunk in work. Returns the new state's number, -1 when memory is used up. */
  #append(rows: Row, from: number, parent: number, instance: number): number {
    if (this.#out < 0 || this.#outRows === chunkRows) {
      if (this.#out >= 0) this.#frontier.publish(this.#out, this.#outRows);
      const chunk = this.#frontier.allocate();
      this.#out = chunk ?? -1;
      if (chunk === undefined) return -1;
      this.#outRows = 0;
      this.#outAt = this.#frontier.offset(chunk);
      this.#outNumber = this.#frontier.firstNumber(chunk);
      const parents = this.#parents.reach(2 * (this.#outNumber + chunkRows));
      if (parents === undefined) return -1;
      this.#outParents = parents;
    }
    const number = this.#outNumber + this.#outRows++;
    this.#outParents[2 * number] = parent;
    this.#outParents[2 * number + 1] = instance;
    const out = this.#frontier.rows;
    const { stride } = this.#program;
    const to = this.#outAt;
    for (let i = 0; i < stride; i++) out[to + i] = rows[from + i] as number;
    this.#outAt = to + stride;
    return number;
  }

  #found(kind: Finding["kind"], property: string, parent: number, instance: number, state: number): void {
    this.#surroundings.found({ kind, property, parent, instance, state });
  }
}
