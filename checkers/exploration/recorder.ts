import { canonical, ModelError, type Value } from "../../model/index.ts";
import type { Aspects } from "./aspects.ts";
import { stateView, type Access, type Change, type ChangeBy, type Show } from "./evaluation.ts";
import type { Layout } from "./layout.ts";
import type { ValueStore } from "./values.ts";
import type { Ids } from "./packing.ts";

/** Runs a model's functions on states and records which components they read and write, in order. */
export class Recorder {
  /** The components, or aspects of them, that the last evaluation read of the state before, in order, each once. */
  readonly reads: number[] = [];
  readonly ids: number[] = [];
  /** The components written, in order, each once. */
  readonly written: number[] = [];
  /** The components that become a function of what they are, in order, each once, and these functions. */
  readonly updated: number[] = [];
  readonly changes: Change[] = [];
  /** The state as functions read it, and the draft that effects write. */
  readonly now: unknown;
  readonly next: unknown;
  readonly #layout: Layout;
  readonly #store: ValueStore;
  readonly #aspects: Aspects;
  /** In which evaluation a component, or an aspect, was last read. */
  readonly #readIn: number[];
  readonly #writtenIn: Int32Array;
  readonly #pending: Value[] = [];
  readonly #updatedIn: Int32Array;
  readonly #change: Change[] = [];
  readonly #changeNumbers: WeakMap<ChangeBy, number> = new WeakMap();
  #changesMet = 0;
  #state: Ids = new Int32Array(0);
  #evaluation = 0;
  #mode: "idle" | "reading" | "reading through" | "writing" = "idle";

  constructor(layout: Layout, store: ValueStore, aspects: Aspects) {
    this.#layout = layout;
    this.#store = store;
    this.#aspects = aspects;
    this.#readIn = layout.components.map(() => 0);
    this.#writtenIn = new Int32Array(layout.components.length);
    this.now = stateView(layout, {
      read: (component) => this.#read(component),
      project: (component, show, more) => this.#project(component, show, more),
    });
    this.#updatedIn = new Int32Array(layout.components.length);
    const draft: Access = {
      read: (component) => this.#readDraft(component),
      write: (component, value) => this.#write(component, value),
      update: (component, change, more) => this.#update(component, this.#changeOf(change, more)),
      project: (component, show, more) => show(this.#readDraft(component), ...more),
    };
    this.next = stateView(layout, draft);
  }

  /** Evaluates a function of the state; afterwards `reads` and `ids` tell what it depended on. */
  read<T>(state: Ids, run: () => T): T {
    return this.#run("reading", state, run);
  }

  /** The same, where `reads` may also tell of aspects. */
  readThrough<T>(state: Ids, run: () => T): T {
    return this.#run("reading through", state, run);
  }

  /** Evaluates an effect; afterwards `written` and `updated` tell what it wrote. */
  write<T>(state: Ids, run: () => T): T {
    return this.#run("writing", state, () => {
      const result = run();
      this.#settleUpdates();
      return result;
    });
  }

  /** The id of what was written to a component. Throws ModelError for what is no value. */
  writtenId(component: number): number {
    return this.idOf(component, this.#pending[component] as Value);
  }

  /** The id of a component's value. Throws ModelError for what is no value. */
  idOf(component: number, value: Value): number {
    try {
      return this.#store.id(this.#variable(component), value);
    } catch (error) {
      if (error instanceof ModelError)
        throw new ModelError(`${this.#name(component)}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  #run<T>(mode: "reading" | "reading through" | "writing", state: Ids, run: () => T): T {
    this.#state = state;
    this.#evaluation++;
    this.reads.length = this.ids.length = this.written.length = 0;
    this.updated.length = this.changes.length = 0;
    this.#mode = mode;
    try {
      return run();
    } finally {
      this.#mode = "idle";
    }
  }

  #read(component: number): Value {
    if (this.#mode === "idle")
      throw new TypeError(`${this.#name(component)} was read outside of an evaluation`);
    const id = this.#state[component] as number;
    if (this.#readIn[component] !== this.#evaluation) {
      this.#readIn[component] = this.#evaluation;
      this.reads.push(component);
      this.ids.push(id);
    }
    return this.#store.value(this.#variable(component), id);
  }

  /** What properties read is known by components alone. */
  #project(component: number, show: Show, more: readonly Value[]): Value {
    if (this.#mode === "reading" || this.#mode === "idle" || this.#readIn[component] === this.#evaluation) {
      return show(this.#read(component), ...more);
    }
    const aspect = this.#aspects.number(component, show, more);
    const id = this.#aspects.idOf(aspect, this.#state[component] as number);
    if (this.#readIn[aspect] !== this.#evaluation) {
      this.#readIn[aspect] = this.#evaluation;
      this.reads.push(aspect);
      this.ids.push(id);
    }
    return this.#aspects.value(aspect, id);
  }

  #changeOf(change: ChangeBy, more: readonly Value[]): Change {
    return {
      key: [this.#numberOf(change), ...more.map(canonical)].join(" "),
      apply: (entry) => change(entry, ...more),
    };
  }

  #numberOf(change: ChangeBy): number {
    let number = this.#changeNumbers.get(change);
    if (number === undefined) {
      number = this.#changesMet++;
      this.#changeNumbers.set(change, number);
    }
    return number;
  }

  #write(component: number, value: Value): void {
    if (this.#mode !== "writing")
      throw new TypeError(`${this.#name(component)} was written outside of an action`);
    if (this.#writtenIn[component] !== this.#evaluation) {
      this.#writtenIn[component] = this.#evaluation;
      this.written.push(component);
    }
    this.#pending[component] = value;
  }

  #readDraft(component: number): Value {
    if (this.#writtenIn[component] === this.#evaluation) return this.#pending[component] as Value;
    const entry = this.#read(component);
    if (this.#updatedIn[component] !== this.#evaluation) return entry;
    const changed = (this.#change[component] as Change).apply(entry);
    this.#write(component, changed);
    return changed;
  }

  #update(component: number, change: Change): void {
    const isUpdated = this.#updatedIn[component] === this.#evaluation;
    if (this.#writtenIn[component] === this.#evaluation) {
      this.#write(component, change.apply(this.#pending[component] as Value));
    } else if (isUpdated) {
      const first = this.#change[component] as Change;
      this.#change[component] = {
        key: `${first.key}; ${change.key}`,
        apply: (entry) => change.apply(first.apply(entry)),
      };
    } else {
      if (this.#mode !== "writing")
        throw new TypeError(`${this.#name(component)} was written outside of an action`);
      this.#updatedIn[component] = this.#evaluation;
      this.updated.push(component);
      this.#change[component] = change;
    }
  }

  /** What was updated and read, or written after all, is written. */
  #settleUpdates(): void {
    let kept = 0;
    for (const component of this.updated) {
      if (this.#writtenIn[component] === this.#evaluation) continue;
      const change = this.#change[component] as Change;
      if (this.#readIn[component] === this.#evaluation) {
        this.#write(component, change.apply(this.#read(component)));
      } else {
        this.updated[kept++] = component;
        this.changes.push(change);
      }
    }
    this.updated.length = kept;
  }

  #variable(component: number): number {
    return this.#layout.components[component]?.variable.index as number;
  }

  #name(component: number): string {
    return this.#layout.components[component]?.name ?? "?";
  }
}
