import type { Effects } from "./effects.ts";

/**
 * Lists that belong to effects, one for each, which hold as long as nothing new is learnt about properties. An effect's
 * record holds its list's number in a field of its own; the empty one's is `usual`.
 */
export class Notes<T> {
  /** The number of the empty list: what a loop over many effects can skip. */
  usual = 1;
  readonly #field: number;
  readonly #effects: Effects;
  readonly #keyOf: (list: readonly T[]) => unknown;
  #lists: (readonly T[])[] = [[]];
  #byKey: Map<unknown, number> = new Map();

  /** Lists of one key are one. */
  constructor(effects: Effects, field: number, keyOf: (list: readonly T[]) => unknown) {
    this.#field = field;
    this.#effects = effects;
    this.#keyOf = keyOf;
  }

  /** The list of an effect, by its record; undefined where it must be made. */
  get(at: number): readonly T[] | undefined {
    // Numbers of lists that do not hold any more are below `usual`.
    return this.#lists[(this.#effects.records[at + this.#field] as number) - this.usual];
  }

  set(at: number, list: readonly T[]): readonly T[] {
    const key = this.#keyOf(list);
    let index = list.length === 0 ? 0 : this.#byKey.get(key);
    if (index === undefined) {
      index = this.#lists.push(list) - 1;
      this.#byKey.set(key, index);
    }
    this.#effects.records[at + this.#field] = this.usual + index;
    return list;
  }

  /** None of the lists holds any more. */
  forget(): void {
    this.usual += this.#lists.length;
    this.#lists = [[]];
    this.#byKey = new Map();
  }
}
