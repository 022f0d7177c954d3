import {
  vacuous,
  type Invariant,
  type Judgement,
  type Model,
  type Now,
  type Value,
  type Witness,
} from "../../model/index.ts";
import type { Effects } from "./effects.ts";
import { field } from "./record.ts";
import type { Knowledge } from "./knowledge.ts";
import type { Liveness } from "./liveness.ts";
import { Notes } from "./notes.ts";
import type { Ids, Packing } from "./packing.ts";
import { Projections } from "./projections.ts";
import type { Recorder } from "./recorder.ts";
import { attempt } from "./transitions.ts";
import { Trie } from "./trie.ts";

/** What a property says, as leaves of its trie. */
export const outcome = { true: -1, vacuous: -2, false: -3 } as const;

/** One condition on a state: a property with one of its parameter lists. */
export interface Predicate {
  readonly name: string;
  readonly kind: "invariant" | "witness" | "stuttering" | "constraint";
  readonly judge: (now: Now<unknown>) => Judgement;
  /** The flag that says that it was true (of an invariant: exercised; of a witness: seen) somewhere. */
  readonly trueFlag: number;
  /** The flag that says that it was false somewhere; -1 where nobody asks. */
  readonly falseFlag: number;
}

/** How many predicates and flags the properties of a model need. */
export interface PropertyCounts {
  readonly predicates: number;
  readonly flags: number;
}

/**
 * Predicates on states, each remembered by the ids of the components that it reads, and skipped where a step has
 * written nothing that it has ever read: then it says what it said of the state before. States that agree on all
 * components that any predicate has ever read are alike to them: see `projections`.
 */
export class Predicates {
  readonly all: readonly Predicate[];
  readonly hasConstraint: boolean;
  /** What of states has been judged already. */
  readonly projections: Projections;
  /** For each effect, the predicates that it can change. */
  readonly notes: Notes<number>;
  evaluations = 0;
  readonly #effects: Effects;
  /** The constraint comes last in `all`. */
  readonly #checked: number;
  readonly #recorder: Recorder;
  readonly #trie: Trie;
  readonly #roots: number[];
  readonly #knowledge: Knowledge;
  readonly #liveness: Liveness;
  readonly #components: number;
  #packing: Packing;
  #version = -1;
  /** By the number of a set of changed components: the predicates that they affect. */
  #affectedBy: (readonly number[])[] = [];

  constructor(
    properties: readonly Predicate[],
    constraint: Model<unknown>["constraint"],
    recorder: Recorder,
    effects: Effects,
    knowledge: Knowledge,
    liveness: Liveness,
    projections: SharedArrayBuffer,
    packing: Packing,
  ) {
    this.#recorder = recorder;
    this.#effects = effects;
    this.#knowledge = knowledge;
    this.#liveness = liveness;
    this.#packing = packing;
    this.#components = packing.word.length;
    this.#checked = properties.length;
    this.hasConstraint = constraint !== undefined;
    this.all =
      constraint === undefined
        ? properties
        : [
            ...properties,
            { name: "the constraint", kind: "constraint", judge: constraint, trueFlag: -1, falseFlag: -1 },
          ];
    this.#roots = this.all.map(() => 0);
    this.#trie = new Trie(this.#components);
    this.notes = new Notes(effects, field.predicates, (list) => list);
    this.projections = new Projections(projections);
    this.catchUp();
  }

  get bytes(): number {
    return this.#trie.bytes;
  }

  /** Whether a state satisfies the model's constraint. */
  constraint(ids: Ids): boolean {
    return !this.hasConstraint || this.#outcome(this.#checked, ids) !== outcome.false;
  }

  /**
   * The first invariant that fails in a state; undefined where all hold. Witnesses seen are noted. Those after the
   * first are not evaluated, as with TLC: what they read may not make sense any more.
   */
  check(ids: Ids): Predicate | undefined {
    let broken: Predicate | undefined;
    for (let p = 0; p < this.#checked; p++) broken = this.#checkOne(p, ids, broken);
    return broken;
  }

  /** The same for a state that an effect (by its record) has just led to from a state that was checked. */
  checkAfter(at: number, ids: Ids): Predicate | undefined {
    const list = this.notes.get(at) ?? this.notes.set(at, this.#affected(at));
    let broken: Predicate | undefined;
    for (let i = 0; i < list.length; i++) broken = this.#checkOne(list[i] as number, ids, broken);
    return broken;
  }

  /** Whether a state breaks the invariant of that name. */
  breaks(name: string, ids: Ids): boolean {
    return this.all.some(
      (each, p) => each.kind === "invariant" && each.name === name && this.#outcome(p, ids) === outcome.false,
    );
  }

  /** To be called before states of another worker are judged, and when a packing has been replaced. */
  catchUp(packing: Packing = this.#packing): void {
    const { version } = this.#knowledge;
    if (version === this.#version && packing === this.#packing) return;
    this.#version = version;
    this.#packing = packing;
    this.notes.forget();
    this.#affectedBy = [];
    const read = new Set<number>();
    for (let p = 0; p < this.#checked; p++) {
      if (this.#isSettled(p)) continue;
      for (let c = 0; c < this.#components; c++) if (this.#knowledge.reads(p, c)) read.add(c);
    }
    this.projections.reset(
      version,
      packing,
      [...read].toSorted((a, b) => a - b),
    );
  }

  /** A witness that was seen need not be looked for any more. */
  #isSettled(p: number): boolean {
    const { kind, trueFlag } = this.all[p] as Predicate;
    return kind === "witness" && this.#knowledge.flag(trueFlag);
  }

  #checkOne(p: number, ids: Ids, broken: Predicate | undefined): Predicate | undefined {
    const predicate = this.all[p] as Predicate;
    if (predicate.kind === "witness" ? this.#isSettled(p) : broken !== undefined) return broken;
    const found = this.#outcome(p, ids);
    return predicate.kind === "invariant" && found === outcome.false ? predicate : broken;
  }

  #outcome(p: number, ids: Ids): number {
    let leaf = this.#trie.find(this.#roots[p] as number, ids);
    if (leaf === 0) leaf = this.#learn(p, ids);
    const { trueFlag, falseFlag } = this.all[p] as Predicate;
    if (leaf === outcome.true && trueFlag >= 0) this.#knowledge.setFlag(trueFlag);
    if (leaf === outcome.false && falseFlag >= 0) this.#knowledge.setFlag(falseFlag);
    return leaf;
  }

  #learn(p: number, ids: Ids): number {
    const { name, judge } = this.all[p] as Predicate;
    const recorder = this.#recorder;
    this.evaluations++;
    return attempt(
      () => name,
      () => {
        const leaf = outcomeOf(recorder.read(ids, () => judge(recorder.now as Now<unknown>)));
        this.#roots[p] = this.#trie.insert(this.#roots[p] as number, recorder.reads, recorder.ids, leaf);
        for (const component of recorder.reads) {
          this.#knowledge.noteRead(p, component);
          this.#liveness.noteRead(component);
        }
        return leaf;
      },
    );
  }

  /** The predicates that have ever read what an effect changes. */
  #affected(at: number): readonly number[] {
    // What is noted now must hold for all that is known.
    this.catchUp();
    const set = this.#effects.changedSet(this.#effects.records[at + field.effect] as number);
    const known = this.#affectedBy[set];
    if (known !== undefined) return known;
    const changed = this.#effects.changedSets[set] as readonly number[];
    const affected: number[] = [];
    for (let p = 0; p < this.#checked; p++) {
      if (changed.some((component) => this.#knowledge.reads(p, component))) affected.push(p);
    }
    this.#affectedBy[set] = affected;
    return affected;
  }
}

/** The model's invariants and witnesses as predicates; their flags are numbered from 0, one for each property. */
export function statePredicates({ invariants = [], witnesses = [] }: Model<unknown>): Predicate[] {
  return [
    ...invariants.flatMap((invariant, flag) => instancesOf(invariant, flag)),
    ...witnesses.map((witness, index) => ofWitness(witness, invariants.length + index)),
  ];
}

function instancesOf({ name, parameters, holds }: Invariant<unknown>, trueFlag: number): Predicate[] {
  return parameters.map((list: readonly Value[]) => ({
    name,
    kind: "invariant",
    judge: (now) => holds(now, ...list),
    trueFlag,
    falseFlag: -1,
  }));
}

function ofWitness({ name, seen }: Witness<unknown>, trueFlag: number): Predicate {
  return { name, kind: "witness", judge: seen, trueFlag, falseFlag: -1 };
}

export function outcomeOf(judgement: Judgement): number {
  if (judgement === vacuous) return outcome.vacuous;
  if (judgement === true) return outcome.true;
  if (judgement === false) return outcome.false;
  throw new TypeError(`returned ${String(judgement)} where true, false or vacuous was expected`);
}
