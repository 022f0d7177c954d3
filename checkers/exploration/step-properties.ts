import {
  judgeStep,
  type Judgement,
  type Model,
  type Now,
  type StepProperty,
  type Taken,
} from "../../model/index.ts";
import { outcome, outcomeOf } from "./predicates.ts";
import type { Knowledge } from "./knowledge.ts";
import type { Layout } from "./layout.ts";
import { stateView } from "./evaluation.ts";
import { attempt, idBits, idMask, type Transitions } from "./transitions.ts";
import { Trie } from "./trie.ts";
import type { ValueStore } from "./values.ts";
import type { Row } from "./row.ts";

interface Property {
  readonly name: string;
  readonly judge: (before: Now<unknown>, after: Now<unknown>, taken: Taken) => Judgement;
  /** It is told the action, so that it is remembered for each instance apart. */
  readonly namesAction: boolean;
  /** By instance, or 0 for all. */
  readonly roots: number[];
  /** All steps must be looked at: nothing is known of those that change nothing it reads. */
  readonly always: boolean;
}

/**
 * Properties of steps, remembered by what they read of the states before and after.
 *
 * A step that has written nothing a property has ever read leaves before and after alike to it. Such steps are not
 * looked at one by one: each new state is judged once as if it followed itself, by any action, and only when that fails
 * are all steps looked at from then on; also as long as no step has exercised the property.
 */
export class StepProperties {
  readonly properties: readonly Property[];
  evaluations = 0;
  readonly #transitions: Transitions;
  readonly #components: number;
  readonly #trie: Trie = new Trie();
  /** Every action with each of its fixed parameter lists. */
  readonly #taken: readonly Taken[];
  /** What the step at hand has written, by component; `#writtenIn` says whether it is of this step. */
  readonly #written: Int32Array;
  readonly #writtenIn: Int32Array;
  readonly #knowledge: Knowledge;
  readonly #firstFlag: number;
  readonly #stutteringFlags: readonly number[];
  #step = 0;
  #row: Row = new Uint16Array(0);
  #at = 0;
  readonly #before: unknown;
  readonly #after: unknown;
  readonly #reads: number[] = [];
  readonly #ids: number[] = [];

  constructor(
    model: Model<unknown>,
    layout: Layout,
    store: ValueStore,
    transitions: Transitions,
    knowledge: Knowledge,
  ) {
    this.#knowledge = knowledge;
    this.#transitions = transitions;
    this.#components = layout.components.length;
    this.#written = new Int32Array(this.#components);
    this.#writtenIn = new Int32Array(this.#components);
    const reader = (shift: number) => (component: number) => {
      const id = this.#id(shift + component);
      if (!this.#reads.includes(shift + component)) {
        this.#reads.push(shift + component);
        this.#ids.push(id);
      }
      return store.value(layout.components[component]?.variable.index as number, id);
    };
    this.#before = stateView(layout, { read: reader(0) });
    this.#after = stateView(layout, { read: reader(this.#components) });
    this.#taken = model.actions.flatMap(({ name, parameters }) =>
      typeof parameters === "function" ? [] : parameters.map((list) => ({ action: name, parameters: list })),
    );
    const areFixed = model.actions.every(({ parameters }) => typeof parameters !== "function");
    this.properties = (model.stepProperties ?? []).map((property) => {
      const namesAction = isToldTheAction(property);
      return {
        name: property.name,
        judge: (before, after, taken) => judgeStep(property, before, after, taken),
        namesAction,
        roots: [],
        always: namesAction && !areFixed,
      };
    });
    // Predicates come first: invariants, witnesses, then those about stuttering, one for each that is not `always`.
    let flag = (model.invariants ?? []).length + (model.witnesses ?? []).length;
    this.#stutteringFlags = this.properties.map(({ always }) => (always ? -1 : flag++));
    this.#firstFlag = flag + (model.constraint === undefined ? 0 : 1);
  }

  /**
   * The first property that a step breaks: an effect replayed on a row. `concerned`: the properties of which it changes
   * something that they have ever read.
   */
  check(rows: Row, from: number, effectAt: number, concerned: readonly number[]): string | undefined {
    let noted = false;
    let broken: string | undefined;
    for (let p = 0; p < this.properties.length; p++) {
      const property = this.properties[p] as Property;
      if (!property.always && !concerned.includes(p) && this.#canSkip(p)) continue;
      if (!noted) this.#note(rows, from, effectAt);
      noted = true;
      const instance = property.namesAction ? (this.#transitions.effects[effectAt] as number) : 0;
      if (this.#judge(p, instance) === outcome.false) broken ??= property.name;
    }
    return broken;
  }

  /** Whether a step breaks the property of that name. */
  breaks(name: string, rows: Row, from: number, effectAt: number): boolean {
    const p = this.properties.findIndex((property) => property.name === name);
    if (p < 0) return false;
    this.#note(rows, from, effectAt);
    const { namesAction } = this.properties[p] as Property;
    return (
      this.#judge(p, namesAction ? (this.#transitions.effects[effectAt] as number) : 0) === outcome.false
    );
  }

  /** The properties as predicates on a state that follows itself, by whatever action. */
  stuttering(): readonly { readonly name: string; judge: (now: Now<unknown>) => Judgement; index: number }[] {
    return this.properties.flatMap(({ name, judge: holds, namesAction, always }, index) => {
      if (always) return [];
      const judge = namesAction
        ? (now: Now<unknown>) => this.#taken.every((taken) => holds(now, now, taken) !== false)
        : (now: Now<unknown>) => holds(now, now, { action: "", parameters: [] }) !== false;
      return [{ name, judge, index }];
    });
  }

  /** Where a property's flags stand in the knowledge: its own, and that of its predicate about stuttering. */
  flagOf(property: number): number {
    return this.#firstFlag + property;
  }

  /** Whether steps that do not concern a property may be skipped: none of them can break it, or be the first to exercise it. */
  #canSkip(p: number): boolean {
    const knowledge = this.#knowledge;
    return knowledge.flag(this.#firstFlag + p) && !knowledge.flag(this.#stutteringFlags[p] as number);
  }

  #note(rows: Row, from: number, effectAt: number): void {
    this.#row = rows;
    this.#at = from;
    this.#step++;
    const { effects } = this.#transitions;
    const first = this.#transitions.firstWrite(effectAt);
    const end = first + this.#transitions.writeCount(effectAt);
    for (let w = first; w < end; w++) {
      const component = (effects[w] as number) >>> idBits;
      this.#writtenIn[component] = this.#step;
      this.#written[component] = (effects[w] as number) & idMask;
    }
  }

  /** The id of a component before the step, or after it: then the components' number is added. */
  #id(component: number): number {
    const components = this.#components;
    if (component < components) return this.#row[this.#at + component] as number;
    const after = component - components;
    if (this.#writtenIn[after] === this.#step) return this.#written[after] as number;
    return this.#row[this.#at + after] as number;
  }

  #find(root: number): number {
    let reference = root;
    while (reference > 0) reference = this.#trie.child(reference, this.#id(this.#trie.component(reference)));
    return reference;
  }

  #judge(p: number, instance: number): number {
    const property = this.properties[p] as Property;
    const root = property.roots[instance] ?? 0;
    const known = this.#find(root);
    const leaf = known === 0 ? this.#learn(p, instance, root) : known;
    if (leaf === outcome.true) this.#knowledge.setFlag(this.#firstFlag + p);
    return leaf;
  }

  #learn(p: number, instance: number, root: number): number {
    const property = this.properties[p] as Property;
    this.evaluations++;
    this.#reads.length = this.#ids.length = 0;
    const { action, parameters } = this.#transitions.instances[instance] ?? {
      action: { name: "" },
      parameters: [],
    };
    return attempt(
      () => property.name,
      () => {
        const [before, after] = [this.#before as Now<unknown>, this.#after as Now<unknown>];
        const leaf = outcomeOf(property.judge(before, after, { action: action.name, parameters }));
        property.roots[instance] = this.#trie.insert(root, this.#reads, this.#ids, leaf);
        for (const read of this.#reads) {
          if (!property.always)
            this.#knowledge.noteRead(this.#stutteringFlags[p] as number, read % this.#components);
        }
        return leaf;
      },
    );
  }
}

/** Whether a property takes one argument more than the states and its parameters: the action of the step. */
function isToldTheAction({ parameters, holds }: StepProperty<unknown>): boolean {
  return holds.length > 2 + (parameters[0]?.length ?? 0);
}
