import { judgeState, vacuous, type Judgement, type Model, type Now } from "../../model/index.ts";
import type { Knowledge } from "./knowledge.ts";
import type { Recorder } from "./recorder.ts";
import type { StepProperties } from "./step-properties.ts";
import { attempt, effect, idBits, type Transitions } from "./transitions.ts";
import { Trie } from "./trie.ts";
import type { Row } from "./row.ts";

/** What a property says of a row, as leaves of its trie. */
export const outcome = { true: -1, vacuous: -2, false: -3 } as const;

export interface Predicate {
  readonly name: string;
  readonly kind: "invariant" | "witness" | "stuttering" | "constraint";
  /** Its position in the model's list of that kind. */
  readonly index: number;
  readonly judge: (now: Now<unknown>) => Judgement;
}

/** What an effect can change: the predicates to be judged after it, and the step properties to be judged about it. */
interface Affected {
  readonly predicates: readonly number[];
  readonly steps: readonly number[];
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
  readonly #knowledge: Knowledge;
  #version = 0;
  #lists: Affected[] = [];
  /** The number of the first of them; 0 is none. */
  #firstList = 1;

  constructor(
    model: Model<unknown>,
    recorder: Recorder,
    transitions: Transitions,
    steps: StepProperties,
    knowledge: Knowledge,
  ) {
    this.#recorder = recorder;
    this.#transitions = transitions;
    this.#knowledge = knowledge;
    this.all = [
      ...(model.invariants ?? []).map((invariant, index) => ({
        name: invariant.name,
        kind: "invariant" as const,
        index,
        judge: (now: Now<unknown>) => judgeState(invariant, now),
      })),
      ...(model.witnesses ?? []).map(({ name, seen }, index) => ({
        name,
        kind: "witness" as const,
        index,
        judge: seen,
      })),
      ...steps.stuttering().map(({ name, judge, index }) => ({
        name,
        kind: "stuttering" as const,
        index,
        judge,
      })),
    ];
    const { constraint } = model;
    this.hasConstraint = constraint !== undefined;
    this.#checked = this.all.length;
    if (constraint !== undefined) {
      const judge = constraint;
      this.all.push({ name: "the constraint", kind: "constraint", index: 0, judge });
    }
    this.#roots = this.all.map(() => 0);
  }

  /** Whether a row satisfies the model's constraint. */
  constraint(row: Row, offset: number): boolean {
    return !this.hasConstraint || this.#holds(this.#checked, row, offset);
  }

  get bytes(): number {
    return this.#trie.bytes;
  }

  /**
   * The first invariant that fails in a row; undefined where all hold. Witnesses seen are noted. Those after the first
   * are not evaluated, as with TLC: what they read may not make sense any more.
   */
  check(row: Row, offset: number): Predicate | undefined {
    let broken: Predicate | undefined;
    for (let p = 0; p < this.#checked; p++) {
      if (broken !== undefined && (this.all[p] as Predicate).kind !== "witness") continue;
      if (!this.#holds(p, row, offset)) broken = this.all[p];
    }
    return broken;
  }

  /** The same for a row that the effect has just led to from a state that was checked. */
  checkAfter(effectAt: number, row: Row, offset: number): Predicate | undefined {
    const list = this.#affected(effectAt).predicates;
    let broken: Predicate | undefined;
    for (let i = 0; i < list.length; i++) {
      const p = list[i] as number;
      if (broken !== undefined && (this.all[p] as Predicate).kind !== "witness") continue;
      if (!this.#holds(p, row, offset)) broken = this.all[p];
    }
    return broken;
  }

  /** Whether a row breaks the invariant of that name. */
  breaks(name: string, row: Row, offset: number): boolean {
    const p = this.all.findIndex((each) => each.kind === "invariant" && each.name === name);
    return p >= 0 && !this.#holds(p, row, offset);
  }

  /** The step properties that an effect concerns, by index. */
  stepsConcerned(effectAt: number): readonly number[] {
    return this.#affected(effectAt).steps;
  }

  /** To be called before rows of another worker are expanded. */
  catchUp(): void {
    const version = this.#knowledge.version;
    if (version === this.#version) return;
    this.#version = version;
    // What effects point to is outdated: those numbers are not used again.
    this.#firstList += this.#lists.length;
    this.#lists = [];
  }

  #holds(p: number, row: Row, offset: number): boolean {
    const { kind } = this.all[p] as Predicate;
    if (kind === "witness" && this.#knowledge.flag(p)) return true;
    let leaf = this.#trie.find(this.#roots[p] as number, row, offset);
    if (leaf === 0) leaf = this.#learn(p, row, offset);
    if (leaf === (kind === "stuttering" ? outcome.false : outcome.true)) this.#knowledge.setFlag(p);
    return leaf !== outcome.false || kind === "witness" || kind === "stuttering";
  }

  #learn(p: number, row: Row, offset: number): number {
    const { name, judge } = this.all[p] as Predicate;
    const recorder = this.#recorder;
    this.evaluations++;
    return attempt(
      () => name,
      () => {
        const leaf = outcomeOf(recorder.read(row, offset, () => judge(recorder.now as Now<unknown>)));
        this.#roots[p] = this.#trie.insert(this.#roots[p] as number, recorder.reads, recorder.ids, leaf);
        for (const component of recorder.reads) this.#knowledge.noteRead(p, component);
        this.catchUp();
        return leaf;
      },
    );
  }

  #affected(effectAt: number): Affected {
    const { effects } = this.#transitions;
    const known = this.#lists[(effects[effectAt + effect.checks] as number) - this.#firstList];
    if (known !== undefined) return known;
    const first = this.#transitions.firstWrite(effectAt);
    const written = Array.from(
      { length: this.#transitions.writeCount(effectAt) },
      (_, w) => (effects[first + w] as number) >>> idBits,
    );
    const predicates: number[] = [];
    for (let p = 0; p < this.#checked; p++) {
      if (written.some((component) => this.#knowledge.reads(p, component))) predicates.push(p);
    }
    const steps = predicates
      .filter((p) => this.all[p]?.kind === "stuttering")
      .map((p) => (this.all[p] as Predicate).index);
    const affected = { predicates, steps };
    effects[effectAt + effect.checks] = this.#firstList + this.#lists.push(affected) - 1;
    return affected;
  }
}

export function outcomeOf(judgement: Judgement): number {
  if (judgement === vacuous) return outcome.vacuous;
  if (judgement === true) return outcome.true;
  if (judgement === false) return outcome.false;
  throw new TypeError(`returned ${String(judgement)} where true, false or vacuous was expected`);
}
