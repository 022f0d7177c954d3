import { leastFingerprint } from "./fingerprints.ts";
import type { Frontier } from "./frontier.ts";
import type { Program } from "./program.ts";
import { chunkRows, GrowingView } from "./shared.ts";
import { replayEffect } from "./transitions.ts";
import type { Visited } from "./visited.ts";
import { Walk } from "./walk.ts";
import { appendSuccessors, countInstances, fingerprintSuccessors, insertFingerprints } from "./loops.ts";
import { makeRow, type Row } from "./row.ts";

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
  generated: Float64Array = new Float64Array(64);
  fresh: Float64Array = new Float64Array(64);
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
  readonly #touched: Int32Array = new Int32Array(batchMax);
  /** Positions in the batch of what is new, and of what satisfies the constraint. */
  readonly #fresh: Int32Array = new Int32Array(batchMax);
  readonly #within: Int32Array = new Int32Array(batchMax);
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
      if (!this.#hasOut()) return false;
      const number = this.#outNumber + this.#outRows;
      this.#outParents[2 * number] = -1;
      this.#outParents[2 * number + 1] = index;
      this.#frontier.rows.set(row, this.#outAt + this.#program.stride * this.#outRows++);
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

  /** Fingerprints of a batch of successors: `#lo`, `#hi`. */
  #fingerprint(rows: Row, begin: number, end: number): void {
    const { transitions, fingerprints } = this.#program;
    fingerprintSuccessors(
      rows,
      this.#walk.effects,
      this.#walk.offsets,
      begin,
      end,
      transitions.effects,
      fingerprints.hashes,
      fingerprints.hashAt,
      this.#components,
      this.#width,
      this.#visited.slots,
      this.#visited.scale,
      this.#lo,
      this.#hi,
      this.#touched,
    );
  }

  /** Judges a batch's steps, adds what is new of its states and judges them. False when memory is used up. */
  #addAll(rows: Row, begin: number, end: number, first: number, firstNumber: number): boolean {
    const { transitions, predicates, stepProperties, stride } = this.#program;
    if (this.generated.length < transitions.instances.length) this.#widenCounts();
    countInstances(this.generated, transitions.effects, this.#walk.effects, begin, end);
    this.numberAt = (offset) => firstNumber + (offset - first) / stride;
    if (stepProperties.properties.length > 0) this.#judgeSteps(rows, begin, end);
    const count = predicates.hasConstraint ? this.#withinConstraint(rows, begin, end) : end - begin;
    const { slots, scale } = this.#visited;
    const found = insertFingerprints(slots, scale, this.#lo, this.#hi, count, this.#fresh);
    this.added += found;
    if (predicates.hasConstraint) {
      for (let f = 0; f < found; f++) this.#fresh[f] = this.#within[this.#fresh[f] as number] as number;
    }
    return this.#appendAll(begin, found);
  }

  #judgeSteps(rows: Row, begin: number, end: number): void {
    const { transitions, predicates, stepProperties } = this.#program;
    const { effects, offsets } = this.#walk;
    for (let i = begin; i < end; i++) {
      const at = effects[i] as number;
      const from = offsets[i] as number;
      const broken = stepProperties.check(rows, from, at, predicates.stepsConcerned(at));
      if (broken === undefined) continue;
      this.#found("step", broken, this.numberAt(from), transitions.effects[at] as number, -1);
    }
  }

  /** Appends the new states in pieces that fit into the chunk in work, and judges them. */
  #appendAll(base: number, found: number): boolean {
    const { transitions, fingerprints, predicates, stride } = this.#program;
    const { effects, offsets } = this.#walk;
    for (let f = 0; f < found;) {
      if (!this.#hasOut()) return false;
      const end = Math.min(found, f + chunkRows - this.#outRows);
      const out = this.#frontier.rows;
      const to = this.#outAt + this.#outRows * stride;
      appendSuccessors(
        out,
        this.#frontier.words,
        this.#program.wide ? 0 : 1,
        stride,
        effects,
        offsets,
        base,
        this.#fresh,
        f,
        end,
        to,
        transitions.effects,
        fingerprints.hashes,
        fingerprints.hashAt,
        this.#components,
        this.#width,
      );
      for (let at = to; f < end; f++, at += stride) {
        const i = base + (this.#fresh[f] as number);
        const effectAt = effects[i] as number;
        const instance = transitions.effects[effectAt] as number;
        const parent = this.numberAt(offsets[i] as number);
        const number = this.#outNumber + this.#outRows++;
        this.fresh[instance] = (this.fresh[instance] as number) + 1;
        this.#outParents[2 * number] = parent;
        this.#outParents[2 * number + 1] = instance;
        this.subject = number;
        const broken = predicates.checkAfter(effectAt, out, at);
        if (broken !== undefined) this.#found("invariant", broken.name, parent, instance, number);
      }
      this.subject = -1;
    }
    return true;
  }

  /** Keeps those of a batch that satisfy the constraint, with their fingerprints; returns how many. */
  #withinConstraint(rows: Row, begin: number, end: number): number {
    let kept = 0;
    for (let i = begin; i < end; i++) {
      const from = this.#walk.offsets[i] as number;
      if (!this.#satisfiesConstraint(rows, from, this.#walk.effects[i] as number, this.numberAt(from)))
        continue;
      this.#lo[kept] = this.#lo[i - begin] as number;
      this.#hi[kept] = this.#hi[i - begin] as number;
      this.#within[kept++] = i - begin;
    }
    return kept;
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

  /** Sees to a chunk with room for another row. False when memory is used up. */
  #hasOut(): boolean {
    if (this.#out >= 0 && this.#outRows < chunkRows) return true;
    if (this.#out >= 0) this.#frontier.publish(this.#out, this.#outRows);
    const chunk = this.#frontier.allocate();
    this.#out = chunk ?? -1;
    if (chunk === undefined) return false;
    this.#outRows = 0;
    this.#outAt = this.#frontier.offset(chunk);
    this.#outNumber = this.#frontier.firstNumber(chunk);
    const parents = this.#parents.reach(2 * (this.#outNumber + chunkRows));
    if (parents === undefined) return false;
    this.#outParents = parents;
    return true;
  }

  #widenCounts(): void {
    const length = 2 * this.#program.transitions.instances.length;
    const [generated, fresh] = [this.generated, this.fresh];
    this.generated = new Float64Array(length);
    this.fresh = new Float64Array(length);
    this.generated.set(generated);
    this.fresh.set(fresh);
  }

  #found(kind: Finding["kind"], property: string, parent: number, instance: number, state: number): void {
    this.#surroundings.found({ kind, property, parent, instance, state });
  }
}
