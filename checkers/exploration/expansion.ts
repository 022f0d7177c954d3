import type { Alike } from "./alike.ts";
import { field } from "./record.ts";
import { leastFingerprint } from "./fingerprints.ts";
import type { Frontier } from "./frontier.ts";
import {
  appendSuccessors,
  fingerprintSuccessors,
  insertFingerprints,
  noteParents,
  selectNoted,
  touchHomes,
} from "./loops.ts";
import type { Row } from "./packing.ts";
import type { Program } from "./program.ts";
import { GrowingView } from "./shared.ts";
import { slotInts, type Visited } from "./visited.ts";
import { Walk } from "./walk.ts";

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
  /** Makes the states again that were taken for alike by what has turned out to be live, waiting for the others. */
  takeBack(): void;
}

/** The rows that are being expanded. */
interface Source {
  readonly rows: Row;
  readonly first: number;
  readonly firstNumber: number;
  readonly stride: number;
}

/** Expands chunks of the current level into chunks of the next. One for each worker. */
export class Expansion {
  /** Successors and new states by instance. */
  generated: Float64Array = new Float64Array(64);
  fresh: Float64Array = new Float64Array(64);
  /** New states since it was last set to 0. */
  added = 0;
  /** The number of the state that the model's functions were last run on. */
  subject = -1;
  /** What was touched only to be in the cache. */
  touched = 0;
  readonly #program: Program;
  readonly #visited: Visited;
  readonly #frontier: Frontier;
  readonly #alike: Alike;
  readonly #parents: GrowingView;
  readonly #surroundings: Surroundings;
  readonly #checkDeadlock: boolean;
  readonly #isShared: boolean;
  readonly #width: number;
  readonly #walk: Walk;
  /** The fingerprints of all successors of the chunk at hand, and the least of each orbit. */
  #prints: Int32Array = new Int32Array(0);
  #lo: Int32Array = new Int32Array(0);
  #hi: Int32Array = new Int32Array(0);
  /** Positions, in a batch, of what is new, of what satisfies the constraint, and of what is to be judged. */
  readonly #fresh: Int32Array = new Int32Array(batchMax);
  readonly #within: Int32Array = new Int32Array(batchMax);
  readonly #selected: Int32Array = new Int32Array(batchMax);
  readonly #scratch: Row;
  /** A chunk of an earlier packing, converted. */
  #converted: Row = new Int32Array(0);
  /** The chunk being filled, and how far. */
  #out = -1;
  #outRows = 0;
  #outRowsMax = 0;
  #outNumber = 0;
  #outPacking = -1;
  #outParents: Int32Array = new Int32Array(0);

  constructor(
    program: Program,
    visited: Visited,
    frontier: Frontier,
    alike: Alike,
    parents: SharedArrayBuffer,
    surroundings: Surroundings,
    options: { readonly deadlock: boolean; readonly workers: number },
  ) {
    this.#program = program;
    this.#visited = visited;
    this.#frontier = frontier;
    this.#alike = alike;
    this.#parents = new GrowingView(parents);
    this.#surroundings = surroundings;
    this.#checkDeadlock = options.deadlock;
    this.#isShared = options.workers > 1;
    this.#width = program.fingerprints.width;
    this.#walk = new Walk(program.transitions);
    this.#scratch = new Int32Array(program.strideMax);
  }

  /** Adds an initial state. False when memory is used up. */
  addInitial(row: Row, index: number): boolean {
    const { predicates, packing } = this.#program;
    if (!this.#surroundings.makeRoom(1)) return false;
    const ids = this.#program.idsOf(row, 0);
    const constraint = predicates.constraint(ids);
    const broken = predicates.check(ids);
    const { lo, hi } = leastFingerprint(row, packing.words, this.#width);
    let number = -1;
    if (constraint) {
      if (!this.#visited.add(lo, hi)) return true;
      if (!this.#hasOut()) return false;
      this.added++;
      this.#frontier.rows.set(row, this.#frontier.offset(this.#out) + row.length * this.#outRows);
      number = this.#outNumber + this.#outRows++;
      this.#outParents[2 * number] = -1;
      this.#outParents[2 * number + 1] = index;
    }
    if (broken !== undefined) this.#found("invariant", broken.name, -1, index, number);
    return true;
  }

  /**
   * Expands one chunk of the current level. False when memory is used up.
   * Throws PackingOutgrown before anything is added; the chunk can be expanded again.
   */
  expand(chunk: number): boolean {
    const rows = this.#frontier.rowCount(chunk);
    const { source, enabled } = this.#stepsFrom(chunk, rows);
    if (this.#checkDeadlock) this.#findDeadlocks(source, rows, enabled);
    this.#alike.take(source.firstNumber, rows);
    for (let from = 0; from < enabled; from += batchMax) {
      const to = Math.min(enabled, from + batchMax);
      if (!this.#surroundings.makeRoom(to - from)) return false;
      if (!this.#addAll(source, from, to)) return false;
    }
    if (this.#program.liveness.isOutdated) this.#surroundings.takeBack();
    return true;
  }

  /**
   * Finds the steps from a chunk's rows, and judges them. What was taken for dead may turn out to be live: then nothing
   * has been counted yet for the states that seemed to be alike, and all is done again without them.
   */
  #stepsFrom(chunk: number, rows: number): { readonly source: Source; readonly enabled: number } {
    for (;;) {
      const source = this.#source(chunk);
      const enabled = this.#run(source, rows);
      this.#judgeSteps(source, enabled);
      if (!this.#program.liveness.isOutdated) return { source, enabled };
      this.#surroundings.takeBack();
    }
  }

  /** Hands over the chunk in work. */
  finish(): void {
    if (this.#out >= 0 && this.#outRows > 0) this.#frontier.publish(this.#out, this.#outRows);
    else if (this.#out >= 0) this.#frontier.release(this.#out);
    this.#out = -1;
  }

  /** A chunk's rows in the present packing. */
  #source(chunk: number): Source {
    const frontier = this.#frontier;
    const { packings, packing, stride } = this.#program;
    const firstNumber = frontier.firstNumber(chunk);
    const first = frontier.offset(chunk);
    const written = packings[frontier.packing(chunk)] ?? packing;
    if (written === packing) return { rows: frontier.rows, first, firstNumber, stride };
    const count = frontier.rowCount(chunk);
    if (this.#converted.length < count * stride) this.#converted = new Int32Array(count * stride);
    this.#program.convert(written, frontier.rows, first, count, this.#converted);
    return { rows: this.#converted, first: 0, firstNumber, stride };
  }

  #run({ rows, first, firstNumber, stride }: Source, count: number): number {
    try {
      const enabled = this.#walk.run(rows, first, stride, count);
      this.#fingerprint(rows, enabled);
      return enabled;
    } catch (error) {
      this.subject = firstNumber + (this.#walk.at - first) / stride;
      throw error;
    }
  }

  #findDeadlocks({ first, firstNumber, stride }: Source, count: number, enabled: number): void {
    const alive = new Set(this.#walk.offsets.subarray(0, enabled));
    for (let row = 0; row < count; row++) {
      if (!alive.has(first + row * stride)) this.#found("deadlock", "Deadlock", -1, -1, firstNumber + row);
    }
  }

  /** Computes `#prints`, `#lo` and `#hi`. */
  #fingerprint(rows: Row, count: number): void {
    const { transitions, fingerprints, packing } = this.#program;
    const { effects, offsets } = this.#walk;
    const { updates } = transitions.effects;
    if (this.#lo.length < count) {
      this.#lo = new Int32Array(2 * count);
      this.#hi = new Int32Array(2 * count);
      this.#prints = new Int32Array(2 * count * this.#width);
    }
    for (let i = 0; i < count;) {
      i = fingerprintSuccessors(
        rows,
        packing.words,
        effects,
        offsets,
        i,
        count,
        transitions.effects.records,
        fingerprints.hashes,
        fingerprints.hashAt,
        updates.heads,
        updates.table,
        packing.word,
        packing.shift,
        packing.mask,
        this.#width,
        this.#prints,
        this.#lo,
        this.#hi,
      );
      if (i === count) break;
      this.#walk.at = offsets[i] as number;
      transitions.effects.learnUpdates(effects[i] as number, rows, this.#walk.at);
    }
  }

  /** Adds what is new of a batch's states and judges them. False when memory is used up. */
  #addAll(source: Source, begin: number, end: number): boolean {
    const { transitions, predicates } = this.#program;
    const { effects, offsets } = this.#walk;
    const { records } = transitions.effects;
    const { first, firstNumber, stride } = source;
    if (this.generated.length < transitions.instances.length) this.#widenCounts();
    this.#alike.count(this.generated, records, effects, offsets, begin, end, first, stride);
    const within = predicates.hasConstraint ? this.#withinConstraint(source, begin, end) : end - begin;
    const { slots, scale } = this.#visited;
    const [lo, hi, fresh] = [this.#lo, this.#hi, this.#fresh];
    this.touched ^= touchHomes(slots, slotInts, scale, lo, begin, begin + within);
    const found = insertFingerprints(slots, scale, lo, hi, begin, begin + within, fresh, this.#isShared);
    this.added += found;
    if (predicates.hasConstraint) {
      for (let f = 0; f < found; f++) fresh[f] = this.#within[(fresh[f] as number) - begin] as number;
    }
    const kept = this.#alike.sift(effects, this.#prints, fresh, found);
    if (!this.#appendAll(source, kept)) return false;
    this.#alike.settle(effects, offsets, first, firstNumber, stride, this.fresh);
    return true;
  }

  #judgeSteps(source: Source, enabled: number): void {
    if (!this.#program.stepProperties.any) return;
    for (let from = 0; from < enabled; from += batchMax) {
      this.#judgeBatch(source, from, Math.min(enabled, from + batchMax));
    }
  }

  #judgeBatch({ rows, first, firstNumber, stride }: Source, begin: number, end: number): void {
    const { transitions, stepProperties } = this.#program;
    const { effects, offsets } = this.#walk;
    const { records } = transitions.effects;
    const { usual } = stepProperties.notes;
    const count = selectNoted(records, field.steps, usual, effects, begin, end, this.#selected);
    for (let s = 0; s < count; s++) {
      const i = this.#selected[s] as number;
      const at = effects[i] as number;
      const from = offsets[i] as number;
      this.subject = firstNumber + (from - first) / stride;
      const broken = stepProperties.check(at, rows, from);
      if (broken !== undefined) {
        this.#found("step", broken, this.subject, records[at + field.instance] as number, -1);
      }
    }
  }

  /** Appends the new states in pieces that fit into the chunk in work, and judges them. */
  #appendAll({ rows, first, firstNumber, stride }: Source, found: number): boolean {
    const { transitions, packing } = this.#program;
    const { effects, offsets } = this.#walk;
    const { records, updates } = transitions.effects;
    for (let begin = 0; begin < found;) {
      if (!this.#hasOut()) return false;
      const end = Math.min(found, begin + this.#outRowsMax - this.#outRows);
      const out = this.#frontier.rows;
      const to = this.#frontier.offset(this.#out) + this.#outRows * stride;
      const number = this.#outNumber + this.#outRows;
      appendSuccessors(
        rows,
        packing.words,
        this.#width,
        effects,
        offsets,
        this.#fresh,
        begin,
        end,
        out,
        to,
        records,
        this.#prints,
        updates.heads,
        updates.table,
        packing.word,
        packing.shift,
        packing.mask,
      );
      noteParents(
        effects,
        offsets,
        this.#fresh,
        begin,
        end,
        records,
        first,
        firstNumber,
        stride,
        this.#outParents,
        2 * number,
        this.fresh,
      );
      const { numbers } = this.#alike;
      for (let f = begin; f < end; f++) numbers[f] = number + f - begin;
      this.#outRows += end - begin;
      this.#judge(out, to, stride, begin, end, number);
      begin = end;
    }
    return true;
  }

  /** Judges new states, those alone that look otherwise to the properties than any state before. */
  #judge(out: Row, to: number, stride: number, begin: number, end: number, firstNumber: number): void {
    const { transitions, predicates, knowledge } = this.#program;
    const { effects } = this.#walk;
    const { records } = transitions.effects;
    let version: number;
    do {
      // A predicate that reads something new may tell states apart that looked alike: then all are looked at again.
      version = knowledge.version;
      predicates.catchUp();
      const count = predicates.projections.addAll(
        out,
        to,
        stride,
        effects,
        this.#fresh,
        begin,
        end,
        records,
        predicates.notes.usual,
        this.#selected,
      );
      for (let s = 0; s < count; s++) {
        const f = this.#selected[s] as number;
        const at = effects[this.#fresh[f] as number] as number;
        const row = f - begin;
        this.subject = firstNumber + row;
        const broken = predicates.checkAfter(at, this.#program.idsOf(out, to + row * stride));
        if (broken === undefined) continue;
        const parent = this.#outParents[2 * this.subject] as number;
        this.#found("invariant", broken.name, parent, records[at + field.instance] as number, this.subject);
      }
    } while (knowledge.version !== version);
  }

  /** Moves the fingerprints of those of a batch that satisfy the constraint to its beginning; returns how many. */
  #withinConstraint(source: Source, begin: number, end: number): number {
    let kept = 0;
    for (let i = begin; i < end; i++) {
      if (!this.#satisfiesConstraint(source, i)) continue;
      this.#lo[begin + kept] = this.#lo[i] as number;
      this.#hi[begin + kept] = this.#hi[i] as number;
      this.#within[kept++] = i;
    }
    return kept;
  }

  /** A successor that breaks the constraint is checked, and neither stored nor expanded. */
  #satisfiesConstraint({ rows, first, firstNumber, stride }: Source, i: number): boolean {
    const { predicates, transitions } = this.#program;
    const at = this.#walk.effects[i] as number;
    const from = this.#walk.offsets[i] as number;
    const scratch = this.#scratch;
    for (let k = 0; k < stride; k++) scratch[k] = rows[from + k] as number;
    transitions.effects.replay(at, scratch, 0);
    this.subject = firstNumber + (from - first) / stride;
    const ids = this.#program.idsOf(scratch, 0);
    if (predicates.constraint(ids)) return true;
    const broken = predicates.checkAfter(at, ids);
    if (broken !== undefined) {
      const instance = transitions.effects.records[at + field.instance] as number;
      this.#found("invariant", broken.name, this.subject, instance, -1);
    }
    return false;
  }

  /** Sees to a chunk with room for another row. False when memory is used up. */
  #hasOut(): boolean {
    const { stride, packings } = this.#program;
    const packing = packings.length - 1;
    if (this.#out >= 0 && packing === this.#outPacking && this.#outRows < this.#outRowsMax) return true;
    this.finish();
    this.#outRowsMax = this.#frontier.rowsMax(stride);
    const chunk = this.#frontier.allocate(packing, this.#outRowsMax);
    this.#out = chunk ?? -1;
    if (chunk === undefined) return false;
    this.#outPacking = packing;
    this.#outRows = 0;
    this.#outNumber = this.#frontier.firstNumber(chunk);
    const parents = this.#parents.reach(2 * (this.#outNumber + this.#outRowsMax));
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
