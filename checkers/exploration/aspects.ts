import { canonical, freeze, ModelError, type Value } from "../../model/index.ts";
import type { Show } from "./evaluation.ts";
import type { Layout } from "./layout.ts";
import type { ValueStore } from "./values.ts";

/** A model has few functions that entries are looked at through; more than this are made anew each time. */
const showsMax = 256;

/** What a function, with its further arguments, shows of the values of one variable: ids of its own. */
interface Shown {
  readonly variable: number;
  readonly show: Show;
  readonly more: readonly Value[];
  readonly values: Value[];
  readonly ids: Map<string, number>;
  /** By a value's id: the id of what is shown, plus one; 0 where nobody has looked. */
  shownIds: Int32Array;
}

interface Aspect {
  readonly component: number;
  readonly shown: Shown;
}

/** One function with its further arguments: what it shows by variable, and its aspects' numbers by component. */
interface View {
  readonly shown: Map<number, Shown>;
  readonly numbers: Map<number, number>;
}

/**
 * What actions see of components through functions (`project`). An aspect is numbered behind the components: a
 * component together with a function and its further arguments. Its ids are those of what the function shows.
 */
export class Aspects {
  readonly #layout: Layout;
  readonly #store: ValueStore;
  readonly #components: number;
  readonly #aspects: Aspect[] = [];
  /** By function and further arguments. */
  readonly #views: Map<Show, Map<string, View>> = new Map();

  constructor(layout: Layout, store: ValueStore) {
    this.#layout = layout;
    this.#store = store;
    this.#components = layout.components.length;
  }

  /** The number of the aspect of a component that a function shows. Throws ModelError for a function too many. */
  number(component: number, show: Show, more: readonly Value[]): number {
    const view = this.#view(show, more);
    let number = view.numbers.get(component);
    if (number === undefined) {
      const shown = this.#shownOf(view, component, show, more);
      number = this.#components + this.#aspects.push({ component, shown }) - 1;
      view.numbers.set(component, number);
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

  #at(number: number): Aspect {
    return this.#aspects[number - this.#components] as Aspect;
  }

  #view(show: Show, more: readonly Value[]): View {
    let views = this.#views.get(show);
    if (views === undefined) {
      if (this.#views.size === showsMax) {
        throw new ModelError(
          "project takes a function that stands outside of the action, not one made anew each time",
        );
      }
      this.#views.set(show, (views = new Map()));
    }
    const key = more.length === 0 ? "" : more.map(canonical).join(" ");
    let view = views.get(key);
    if (view === undefined) views.set(key, (view = { shown: new Map(), numbers: new Map() }));
    return view;
  }

  #shownOf(view: View, component: number, show: Show, more: readonly Value[]): Shown {
    const variable = this.#layout.components[component]?.variable.index as number;
    let shown = view.shown.get(variable);
    if (shown === undefined) {
      shown = { variable, show, more, values: [], ids: new Map(), shownIds: new Int32Array(16) };
      view.shown.set(variable, shown);
    }
    return shown;
  }

  #learn(shown: Shown, id: number): number {
    const value = shown.show(this.#store.value(shown.variable, id), ...shown.more);
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
