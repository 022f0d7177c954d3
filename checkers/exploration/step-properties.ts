import {
  fixedLists,
  parameterFunctions,
  vacuous,
  type Judgement,
  type Model,
  type Now,
  type StepProperty,
  type Taken,
  type Value,
} from "../../model/index.ts";
import { stateView } from "./evaluation.ts";
import type { Effects } from "./effects.ts";
import { field } from "./record.ts";
import type { Knowledge } from "./knowledge.ts";
import type { Layout } from "./layout.ts";
import type { Liveness } from "./liveness.ts";
import { Notes } from "./notes.ts";
import type { Packing, Row } from "./packing.ts";
import { outcome, outcomeOf, type Predicate } from "./predicates.ts";
import { attempt, type Instance } from "./transitions.ts";
import { Trie } from "./trie.ts";
import type { ValueStore } from "./values.ts";

/** A step property with one of its parameter lists. */
interface Part {
  readonly name: string;
  readonly judge: (before: Now<unknown>, after: Now<unknown>, taken: Taken) => Judgement;
  /** It is told the action. */
  readonly namesAction: boolean;
  /** Its predicate on states that follow themselves; -1 where all steps must be looked at. */
  readonly stuttering: number;
  /** Flags: a step has exercised the property; a stuttering step might; a stuttering step might break it. */
  readonly exercised: number;
  readonly mayExercise: number;
  readonly mayBreak: number;
  root: number;
}

/** What is left to be asked about a step of an effect: of which part, and from where in its trie; or that it is broken. */
interface Question {
  readonly part: number;
  readonly reference: number;
}

/**
 * Properties of steps, remembered by what they read of the states before and after. Most is decided once for each
 * effect, from what it read and wrote; what is left are questions about the state before.
 *
 * A step that has written nothing a property has ever read leaves before and after alike to it. Such steps are not
 * looked at one by one: each new state is judged as if it followed itself, by any action, and only where that could
 * break or exercise the property all steps are looked at.
 */
export class StepProperties {
  readonly parts: readonly Part[];
  readonly notes: Notes<Question>;
  evaluations = 0;
  readonly #effects: Effects;
  readonly #instances: readonly Instance[];
  readonly #components: number;
  /** Its components are those before, those after, and the instance of the action. */
  readonly #trie: Trie;
  readonly #knowledge: Knowledge;
  readonly #liveness: Liveness;
  /** The step at hand: ids before, ids after, the instance. */
  readonly #step: Int32Array;
  readonly #before: unknown;
  readonly #after: unknown;
  readonly #taken: Taken;
  readonly #reads: number[] = [];
  readonly #ids: number[] = [];
  /** For the effect at hand: what it is known to have read and written, -1 for what is not. */
  readonly #known: Int32Array;
  #packing: Packing;
  #version = -1;
  /** By the number of a set of changed components: the parts that they concern. */
  #concernedBy: (readonly number[])[] = [];

  /** `firstPredicate`, `firstFlag`: where the predicates about stuttering and the flags begin in the knowledge. */
  constructor(
    model: Model<unknown>,
    layout: Layout,
    store: ValueStore,
    effects: Effects,
    instances: readonly Instance[],
    knowledge: Knowledge,
    liveness: Liveness,
    packing: Packing,
    firstPredicate: number,
    firstFlag: number,
  ) {
    this.#effects = effects;
    this.#instances = instances;
    this.#knowledge = knowledge;
    this.#liveness = liveness;
    this.#packing = packing;
    this.#components = layout.components.length;
    const components = this.#components;
    this.#step = new Int32Array(2 * components + 1);
    this.#known = new Int32Array(2 * components + 1);
    this.#trie = new Trie(2 * components + 1);
    this.notes = new Notes(effects, field.steps, keyOf);
    const reader = (shift: number) => (component: number) =>
      store.value(layout.components[component]?.variable.index as number, this.#read(shift + component));
    this.#before = stateView(layout, { read: reader(0) });
    this.#after = stateView(layout, { read: reader(components) });
    this.#taken = this.#takenView();
    this.parts = partsOf(model, firstPredicate, firstFlag);
  }

  get bytes(): number {
    return this.#trie.bytes;
  }

  /** Whether there is anything to judge. */
  get any(): boolean {
    return this.parts.length > 0;
  }

  /** To be called before rows are expanded: what was decided may not hold any more. */
  catchUp(packing: Packing = this.#packing): void {
    const { version } = this.#knowledge;
    if (version === this.#version && packing === this.#packing) return;
    this.#version = version;
    this.#packing = packing;
    this.notes.forget();
    this.#concernedBy = [];
  }

  /** The name of the first property that a step breaks: an effect, by its record, of a row. */
  check(at: number, row: Row, from: number): string | undefined {
    const questions = this.notes.get(at) ?? this.notes.set(at, this.#questions(at, row, from));
    let broken: string | undefined;
    for (const { part, reference } of questions) {
      let leaf = reference;
      while (leaf > 0) leaf = this.#trie.child(leaf, this.#idIn(this.#trie.component(leaf), at, row, from));
      if (leaf === 0) leaf = this.#learn(part, at, row, from);
      this.#noteExercised(part, leaf);
      if (leaf === outcome.false) broken ??= (this.parts[part] as Part).name;
    }
    return broken;
  }

  /** Whether a step breaks the property of that name. */
  breaks(name: string, at: number, row: Row, from: number): boolean {
    return this.parts.some(
      (part, index) => part.name === name && this.#learn(index, at, row, from) === outcome.false,
    );
  }

  /** What is asked about each step of an effect. */
  #questions(at: number, row: Row, from: number): Question[] {
    this.catchUp();
    const effect = this.#effects.records[at + field.effect] as number;
    const set = this.#effects.changedSet(effect);
    let concerned = this.#concernedBy[set];
    if (concerned === undefined) {
      const changed = this.#effects.changedSets[set] as readonly number[];
      concerned = [...this.parts.keys()].filter((part) => this.#isConcerned(part, changed));
      this.#concernedBy[set] = concerned;
    }
    if (concerned.length === 0) return [];
    this.#noteKnown(effect, at);
    return concerned.flatMap((part) => {
      let reference = (this.parts[part] as Part).root;
      if (reference === 0) reference = this.#askFirst(part, at, row, from);
      for (
        let id: number;
        reference > 0 && (id = this.#known[this.#trie.component(reference)] as number) >= 0;
      ) {
        let next = this.#trie.child(reference, id);
        if (next === 0) {
          // The path of this very step: then it is known at least as far as this effect decides it.
          this.#learn(part, at, row, from);
          next = this.#trie.child(reference, id);
        }
        reference = next;
      }
      if (reference === outcome.true) this.#noteExercised(part, reference);
      return reference > 0 || reference === outcome.false ? [{ part, reference }] : [];
    });
  }

  #askFirst(part: number, at: number, row: Row, from: number): number {
    this.#learn(part, at, row, from);
    return (this.parts[part] as Part).root;
  }

  #isConcerned(part: number, changed: readonly number[]): boolean {
    const { stuttering, exercised, mayExercise, mayBreak } = this.parts[part] as Part;
    const knowledge = this.#knowledge;
    if (stuttering < 0 || knowledge.flag(mayBreak)) return true;
    if (knowledge.flag(mayExercise) && !knowledge.flag(exercised)) return true;
    return changed.some((component) => knowledge.reads(stuttering, component));
  }

  /** What an effect says of every step that it makes. */
  #noteKnown(effect: number, at: number): void {
    const known = this.#known.fill(-1);
    const components = this.#components;
    this.#effects.forEachRead(effect, (component, id) => {
      known[component] = known[components + component] = id;
    });
    this.#effects.forEachWrite(effect, (component, id) => {
      known[components + component] = id;
    });
    // None of them was read.
    this.#effects.forEachUpdate(effect, (component) => {
      known[components + component] = -1;
    });
    known[2 * components] = this.#effects.records[at + field.instance] as number;
  }

  /** What a component of the trie is in a step. */
  #idIn(component: number, at: number, row: Row, from: number): number {
    const components = this.#components;
    if (component < components) return this.#packing.idAt(component, row, from);
    if (component === 2 * components) return this.#effects.records[at + field.instance] as number;
    const effect = this.#effects.records[at + field.effect] as number;
    const before = this.#packing.idAt(component - components, row, from);
    return this.#effects.idAfter(effect, component - components, before);
  }

  #learn(index: number, at: number, row: Row, from: number): number {
    const part = this.parts[index] as Part;
    this.#noteStep(at, row, from);
    const known = this.#trie.find(part.root, this.#step);
    if (known !== 0) return known;
    this.evaluations++;
    this.#reads.length = this.#ids.length = 0;
    return attempt(
      () => part.name,
      () => {
        const [before, after] = [this.#before as Now<unknown>, this.#after as Now<unknown>];
        const leaf = outcomeOf(part.judge(before, after, this.#taken));
        part.root = this.#trie.insert(part.root, this.#reads, this.#ids, leaf);
        for (const read of this.#reads) {
          if (read === 2 * this.#components) continue;
          const component = read % this.#components;
          this.#liveness.noteRead(component);
          if (part.stuttering >= 0) this.#knowledge.noteRead(part.stuttering, component);
        }
        return leaf;
      },
    );
  }

  #noteStep(at: number, row: Row, from: number): void {
    const step = this.#step;
    const components = this.#components;
    this.#packing.unpack(row, from, step);
    step.copyWithin(components, 0, components);
    const effect = this.#effects.records[at + field.effect] as number;
    this.#effects.forEachWrite(effect, (component, id) => {
      step[components + component] = id;
    });
    this.#effects.forEachUpdate(effect, (component, update) => {
      step[components + component] = this.#effects.updates.idAfter(update, step[component] as number);
    });
    step[2 * components] = this.#effects.records[at + field.instance] as number;
  }

  #noteExercised(part: number, leaf: number): void {
    if (leaf !== outcome.vacuous) this.#knowledge.setFlag((this.parts[part] as Part).exercised);
  }

  #read(component: number): number {
    const id = this.#step[component] as number;
    if (!this.#reads.includes(component)) {
      this.#reads.push(component);
      this.#ids.push(id);
    }
    return id;
  }

  /** The action of the step at hand; asking for it is a read. */
  #takenView(): Taken {
    const instance = (): Instance => this.#instances[this.#read(2 * this.#components)] as Instance;
    return {
      get action(): string {
        return instance().action.name;
      },
      get parameters(): readonly Value[] {
        return instance().parameters;
      },
    };
  }
}

/** How many flags each property of steps has; its first says that it was exercised. */
export const stepFlags = 3;

function partsOf(model: Model<unknown>, firstPredicate: number, firstFlag: number): Part[] {
  const areFixed = model.actions.every((action) => parameterFunctions(action) === undefined);
  let predicate = firstPredicate;
  return (model.stepProperties ?? []).flatMap((property, index) => {
    const namesAction = isToldTheAction(property);
    const flag = firstFlag + stepFlags * index;
    return property.parameters.map((list): Part => ({
      name: property.name,
      judge: (before, after, taken) => property.holds(before, after, ...list, taken),
      namesAction,
      stuttering: namesAction && !areFixed ? -1 : predicate++,
      exercised: flag,
      mayExercise: flag + 1,
      mayBreak: flag + 2,
      root: 0,
    }));
  });
}

/** The properties as predicates on a state that follows itself, by whatever action. */
export function stutteringPredicates(model: Model<unknown>, parts: readonly Part[]): Predicate[] {
  const all: readonly Taken[] = model.actions.flatMap((action) =>
    fixedLists(action).map((parameters) => ({ action: action.name, parameters })),
  );
  const nobody: readonly Taken[] = [{ action: "", parameters: [] }];
  return parts
    .filter(({ stuttering }) => stuttering >= 0)
    .map(({ name, judge, namesAction, mayExercise, mayBreak }) => ({
      name,
      kind: "stuttering",
      judge: (now) => together((namesAction ? all : nobody).map((taken) => judge(now, now, taken))),
      trueFlag: mayExercise,
      falseFlag: mayBreak,
    }));
}

function together(judgements: readonly Judgement[]): Judgement {
  if (judgements.includes(false)) return false;
  return judgements.includes(true) ? true : vacuous;
}

/** Whether a property takes one argument more than the states and its parameters: the action of the step. */
function isToldTheAction({ parameters, holds }: StepProperty<unknown>): boolean {
  return holds.length > 2 + (parameters[0]?.length ?? 0);
}

function keyOf(questions: readonly Question[]): string {
  return questions.map(({ part, reference }) => `${part}:${reference}`).join();
}
