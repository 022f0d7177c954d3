import { ModelError, type Value } from "../../model/index.ts";
import { stateView, type Access } from "./evaluation.ts";
import type { Layout } from "./layout.ts";
import type { ValueStore } from "./values.ts";
import type { Ids } from "./packing.ts";

/** Runs a model's functions on states and records which components they read and write, in order. */
export class Recorder {
  /** The components that the last evaluation read of the state before, in order, each once. */
  readonly reads: number[] = [];
  readonly ids: number[] = [];
  /** The components written, in order, each once. */
  readonly written: number[] = [];
  /** The state as functions read it, and the draft that effects write. */
  readonly now: unknown;
  readonly next: unknown;
  readonly #layout: Layout;
  readonly #store: ValueStore;
  readonly #readIn: Int32Array;
  readonly #writtenIn: Int32Array;
  readonly #pending: Value[] = [];
  #state: Ids = new Int32Array(0);
  #evaluation = 0;
  #mode: "idle" | "reading" | "writing" = "idle";

  constructor(layout: Layout, store: ValueStore) {
    this.#layout = layout;
    this.#store = store;
    this.#readIn = new Int32Array(layout.components.length);
    this.#writtenIn = new Int32Array(layout.components.length);
    this.now = stateView(layout, { read: (component) => this.#read(component) });
    const draft: Access = {
      read: (component) =>
        this.#writtenIn[component] === this.#evaluation
          ? (this.#pending[component] as Value)
          : this.#read(component),
      write: (component, value) => this.#write(component, value),
    };
    this.next = stateView(layout, draft);
  }

  /** Evaluates a function of the state; afterwards `reads` and `ids` tell what it depended on. */
  read<T>(state: Ids, run: () => T): T {
    return this.#run("reading", state, run);
  }

  /** Evaluates an effect; afterwards `written` tells what it wrote. */
  write<T>(state: Ids, run: () => T): T {
    return this.#run("writing", state, run);
  }

  /** The id of what was written to a component. Throws ModelError for what is no value. */
  writtenId(component: number): number {
    try {
      return this.#store.id(this.#variable(component), this.#pending[component] as Value);
    } catch (error) {
      if (error instanceof ModelError)
        throw new ModelError(`${this.#name(component)}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  #run<T>(mode: "reading" | "writing", state: Ids, run: () => T): T {
    this.#state = state;
    this.#evaluation++;
    this.reads.length = this.ids.length = this.written.length = 0;
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

  #write(component: number, value: Value): void {
    if (this.#mode !== "writing")
      throw new TypeError(`${this.#name(component)} was written outside of an action`);
    if (this.#writtenIn[component] !== this.#evaluation) {
      this.#writtenIn[component] = this.#evaluation;
      this.written.push(component);
    }
    this.#pending[component] = value;
  }

  #variable(component: number): number {
    return this.#layout.components[component]?.variable.index as number;
  }

  #name(component: number): string {
    return this.#layout.components[component]?.name ?? "?";
  }
}
