import { vacuous, type Judgement, type Model, type Now } from "../../model/index.ts";
import type { Recorder } from "./recorder.ts";
import type { StepProperties } from "./step-properties.ts";
import { attempt, effect, type Transitions } from "./transitions.ts";
import { Trie } from "./trie.ts";

/** What a property says of a row, as leaves of its trie. */
export const outcome = { true: -1, vacuous: -2, false: -3 } as const;

export interface Predicate {
  readonly name: string;
  readonly kind: "invariant" | "witness" | "stuttering" | "constraint";
  /** Its position in the model's list of that kind. */
  readonly index: number;
  readonly judge: (now: Now<unknown>) => Judgement;
  /** Its premise was true in some state; for a witness, it was seen. */
  exercised: boolean;
  /** Told when one that is no invariant is false. */
  readonly failed?: () => void;
}

/**
 * Predicates on states, each remembered by the ids of the components that it reads, and skipped where a step has
 * written nothing that it has ever read: then it says what it said of the state before.
 */
export class Predicates {
  readonly all: Predicate[];
  readonly hasConstraint: boolean;
  /** Invariants and witnesses come first in `all`. */
  readonly #checked: number;
  evaluations = 0;
  readonly #recorder: Recorder;
  readonly #transitions: Transitions;
  readonly #trie: Trie = new Trie();
  readonly #roots: number[];
  /** `#readers[component]`: the predicates that have ever read it. */
  readonly #readers: Set<number>[];
  #version = 0;
  /** Lists [count, predicate...] that effects point to. */
  #lists: number[][] = [[]];

  constructor(
    model: Model<unknown>,
    components: number,
    recorder: Recorder,
    transitions: Transitions,
    steps: StepProperties,
  ) {
    this.#recorder = recorder;
    this.#transitions = transitions;
    this.#readers = Array.from({ length: components }, () => new Set<number>());
    this.all = [
      ...(model.invariants ?? []).map(({ name, holds }, index) => ({
        name,
        kind: "invariant" as const,
        index,
        judge: holds,
        exercised: false,
      })),
      ...(model.witnesses ?? []).map(({ name, seen }, index) => ({
        name,
        kind: "witness" as const,
        index,
        judge: seen,
        exercised: false,
      })),
      ...steps.stuttering().map(({ name, judge, failed }, index) => ({
        name,
        kind: "stuttering" as const,
        index,
        judge,
        exercised: false,
        failed,
      })),
    ];
    const { constraint } = model;
    this.hasConstraint = constraint !== undefined;
    this.#checked = this.all.length;
    if (constraint !== undefined) {
      const judge = constraint;
      this.all.push({ name: "the constraint", kind: "constraint", index: 0, judge, exercised: false });
    }
    this.#roots = this.all.map(() => 0);
  }

  /** Whether a row satisfies the model's constraint. */
  constraint(row: Int32Array, offset: number): boolean {
    return !this.hasConstraint || this.#holds(this.#checked, row, offset);
  }

  get bytes(): number {
    return this.#trie.bytes;
  }

  /**
   * The first invariant that fails in a row; undefined where all hold. Witnesses seen are noted. Those after the first
   * are not evaluated, as with TLC: what they read may not make sense any more.
   */
  check(row: Int32Array, offset: number): Predicate | undefined {
    let broken: Predicate | undefined;
    for (let p = 0; p < this.#checked; p++) {
      if (broken !== undefined && (this.all[p] as Predicate).kind !== "witness") continue;
      if (!this.#holds(p, row, offset)) broken = this.all[p];
    }
    return broken;
  }

  /** The same for a row that the effect has just led to from a state that was checked. */
  checkAfter(effectAt: number, row: Int32Array, offset: number): Predicate | undefined {
    const { effects } = this.#transitions;
    const list =
      effects[effectAt + effect.version] === this.#version
        ? (this.#lists[effects[effectAt + effect.checks] as number] as number[])
        : this.#affected(effectAt);
    let broken: Predicate | undefined;
    for (let i = 0; i < list.length; i++) {
      const p = list[i] as number;
      if (broken !== undefined && (this.all[p] as Predicate).kind !== "witness") continue;
      if (!this.#holds(p, row, offset)) broken = this.all[p];
    }
    return broken;
  }

  #holds(p: number, row: Int32Array, offset: number): boolean {
    const predicate = this.all[p] as Predicate;
    if (predicate.kind === "witness" && predicate.exercised) return true;
    let leaf = this.#trie.find(this.#roots[p] as number, row, offset);
    if (leaf === 0) leaf = this.#learn(p, row, offset);
    if (leaf === outcome.true) predicate.exercised = true;
    if (leaf !== outcome.false || predicate.kind === "witness") return true;
    predicate.failed?.();
    return predicate.kind === "stuttering";
  }

  #learn(p: number, row: Int32Array, offset: number): number {
    const { name, judge } = this.all[p] as Predicate;
    const recorder = this.#recorder;
    this.evaluations++;
    return attempt(
      () => name,
      () => {
        const leaf = outcomeOf(recorder.read(row, offset, () => judge(recorder.now as Now<unknown>)));
        this.#roots[p] = this.#trie.insert(this.#roots[p] as number, recorder.reads, recorder.ids, leaf);
        for (const component of recorder.reads) {
          const readers = this.#readers[component] as Set<number>;
          if (p < this.#checked && !readers.has(p)) {
            readers.add(p);
            this.#version++;
            this.#lists = [[]];
          }
        }
        return leaf;
      },
    );
  }

  #affected(effectAt: number): number[] {
    const { effects } = this.#transitions;
    const writes = effects[effectAt + effect.writes] as number;
    const first = this.#transitions.firstWrite(effectAt);
    const affected = new Set<number>();
    for (let w = 0; w < writes; w++) {
      for (const p of this.#readers[effects[first + 2 * w] as number] as Set<number>) affected.add(p);
    }
    const list = [...affected].sort((a, b) => a - b);
    effects[effectAt + effect.checks] = this.#lists.push(list) - 1;
    effects[effectAt + effect.version] = this.#version;
    return list;
  }
}

export function outcomeOf(judgement: Judgement): number {
  if (judgement === vacuous) return outcome.vacuous;
  if (judgement === true) return outcome.true;
  if (judgement === false) return outcome.false;
  throw new TypeError(`returned ${String(judgement)} where true, false or vacuous was expected`);
}
