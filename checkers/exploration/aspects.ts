import { canonical, freeze, ModelError, type Value } from "../../model/index.ts";
import type { Show } from "./evaluation.ts";
import type { Layout } from "./layout.ts";
import type { ValueStore } from "./values.ts";

/** A model has few functions that entries are looked at through; more than this are made anew each time. */
const showsMax = 256;

/** What a function shows of the values of one variable: ids of its own, and to which a value's id leads. */
interface Shown {
  readonly variable: number;
  readonly show: Show;
  readonly values: Value[];
  readonly ids: Map<string, number>;
  /** By a value's id: the id of what is shown, plus one; 0 where nobody has looked. */
  shownIds: Int32Array;
}

/**
 * What actions see of components through functions (`project`). An aspect is numbered behind the components: a
 * component together with a function. Its ids are those of what the function shows.
 */
export class Aspects {
  readonly #layout: Layout;
  readonly #store: ValueStore;
  readonly #components: number;
  readonly #aspects: { readonly component: number; readonly shown: Shown }[] = [];
  /** By function, by variable; and by function, by component: the aspect's number. */
  readonly #shown: Map<Show, Map<number, Shown>> = new Map();
  readonly #numbers: Map<Show, Map<number, number>> = new Map();

  constructor(layout: Layout, store: ValueStore) {
    this.#layout = layout;
    this.#store = store;
    this.#components = layout.components.length;
  }

  /** The number of the aspect of a component that a function shows. Throws ModelError for a function too many. */
  number(component: number, show: Show): number {
    let numbers = this.#numbers.get(show);
    if (numbers === undefined) {
      if (this.#numbers.size === showsMax) {
        throw new ModelError(
          "project takes a function that stands outside of the action, not a new one each time",
        );
      }
      this.#numbers.set(show, (numbers = new Map()));
    }
    let number = numbers.get(component);
    if (number === undefined) {
      number =
        this.#components + this.#aspects.push({ component, shown: this.#shownOf(component, show) }) - 1;
      numbers.set(component, number);
    }
    return number;
  }

  /** The component of an aspect; a component is its own. */
  componentOf(number: number): number {
    return number < this.#components ? number : this.#at(number).component;
  }

  /** What an aspect is where its component has this id. */
  idOf(number: number, id: number): number {
    if (number < this.#components) return id;
    const { shown } = this.#at(number);
    const known = shown.shownIds[id] ?? 0;
    return known === 0 ? this.#learn(shown, id) : known - 1;
  }

  value(number: number, id: number): Value {
    return this.#at(number).shown.values[id] as Value;
  }

  #at(number: number): { readonly component: number; readonly shown: Shown } {
    return this.#aspects[number - this.#components] as { readonly component: number; readonly shown: Shown };
  }

  #shownOf(component: number, show: Show): Shown {
    const variable = this.#layout.components[component]?.variable.index as number;
    let byVariable = this.#shown.get(show);
    if (byVariable === undefined) this.#shown.set(show, (byVariable = new Map()));
    let shown = byVariable.get(variable);
    if (shown === undefined) {
      shown = { variable, show, values: [], ids: new Map(), shownIds: new Int32Array(16) };
      byVariable.set(variable, shown);
    }
    return shown;
  }

  #learn(shown: Shown, id: number): number {
    const value = shown.show(this.#store.value(shown.variable, id));
    const key = canonical(value);
    let number = shown.ids.get(key);
    if (number === undefined) {
      number = shown.values.push(freeze(value)) - 1;
      shown.ids.set(key, number);
    }
    if (id >= shown.shownIds.length) {
      const wider = new Int32Array(2 * id);
      wider.set(shown.shownIds);
      shown.shownIds = wider;
    }
    shown.shownIds[id] = number + 1;
    return number;
  }
}
