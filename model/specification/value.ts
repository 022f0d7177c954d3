import { nameOf, renamed, type Identity } from "./identity.ts";

/** What a state's entries are made of: plain, immutable, finite. */
export type Value =
  | null
  | boolean
  | number
  | string
  | Identity
  | readonly Value[]
  | FiniteSet<Value>
  | { readonly [name: string]: Value };

/** A model that cannot be evaluated: it threw, or made a value that cannot be hashed. The user's fault: exit code 64. */
export class ModelError extends Error {
  override readonly name: string = "ModelError";
}

/**
 * A text that two values share exactly when they are equal: the order of a set's elements and of a record's fields
 * does not matter. Throws ModelError for what is no value (undefined, NaN, fractions, functions, class instances).
 */
export function canonical(value: Value): string {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "boolean":
      return value ? "T" : "F";
    case "number":
      if (!Number.isSafeInteger(value)) throw new ModelError(`${value} is no safe integer`);
      return Object.is(value, -0) ? "0" : String(value);
    case "symbol":
      return `@${nameOf(value)}`;
    case "object":
      if (value === null) return "N";
      if (value instanceof FiniteSet) return value.key;
      return texts.get(value) ?? canonicalObject(value);
    default:
      throw new ModelError(
        `${value === undefined ? "undefined" : `a ${typeof value}`} is no value of a state`,
      );
  }
}

/** The texts of values that `freeze` has made immutable: a new value is mostly made of old ones. */
const texts = new WeakMap<object, string>();

function canonicalObject(value: readonly Value[] | { readonly [name: string]: Value }): string {
  if (!Array.isArray(value)) return canonicalRecord(value as { readonly [name: string]: Value });
  let text = "[";
  for (let i = 0; i < value.length; i++) text += (i === 0 ? "" : ",") + canonical(value[i] as Value);
  return `${text}]`;
}

const quotedTexts = new Map<string, string>();
const quotedTextsMax = 10_000;

function quoted(text: string): string {
  const known = quotedTexts.get(text);
  if (known !== undefined) return known;
  const result = JSON.stringify(text);
  if (quotedTexts.size < quotedTextsMax) quotedTexts.set(text, result);
  return result;
}

function canonicalRecord(record: { readonly [name: string]: Value }): string {
  const prototype: unknown = Object.getPrototypeOf(record);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new ModelError(`an instance of ${record.constructor?.name ?? "a class"} is no value of a state`);
  }
  const keys = Reflect.ownKeys(record);
  if (typeof keys.at(-1) === "symbol") return canonicalTable(record, keys);
  const { names, labels } = shapeOf(keys as string[]);
  let text = "(";
  for (let i = 0; i < names.length; i++) {
    text += (labels[i] as string) + canonical(record[names[i] as string] as Value);
  }
  return `${text})`;
}

/** A record's names in the order in which its text has them, and what stands before each value there. */
interface Shape {
  readonly names: readonly string[];
  readonly labels: readonly string[];
}

const shapes = new Map<string, Shape>();
const shapesMax = 10_000;

function shapeOf(names: readonly string[]): Shape {
  const key = names.join("\0");
  const known = shapes.get(key);
  if (known !== undefined) return known;
  const sorted = names.toSorted();
  const labels = sorted.map((name, i) => `${i === 0 ? "" : ","}${quoted(name)}:`);
  const shape = { names: sorted, labels };
  if (shapes.size < shapesMax) shapes.set(key, shape);
  return shape;
}

/** A record that has identities among its keys. */
function canonicalTable(record: object, keys: readonly (string | symbol)[]): string {
  const entries = keys.map((key) => {
    const label = typeof key === "symbol" ? `@${nameOf(key as unknown as Identity)}` : quoted(key);
    return `${label}:${canonical((record as Record<string | symbol, Value>)[key] as Value)}`;
  });
  return `(${entries.sort().join(",")})`;
}

/** Makes a set of elements that are in order, by their texts, which are different. */
let inOrder: <T extends Value>(keys: readonly string[], elements: readonly T[]) => FiniteSet<T>;

/** An immutable set of values, equal by content. Iteration is in an order that depends on the content alone. */
export class FiniteSet<T extends Value> implements Iterable<T> {
  /** The elements' texts, in ascending order, and the elements. */
  #keys: readonly string[] = [];
  #elements: readonly T[] = [];
  #key: string | undefined;

  static {
    inOrder = <U extends Value>(keys: readonly string[], elements: readonly U[]): FiniteSet<U> => {
      const set = new FiniteSet<U>();
      set.#keys = keys;
      set.#elements = elements;
      return set;
    };
  }

  constructor(elements: Iterable<T> = []) {
    const byKey = new Map<string, T>();
    for (const element of elements) byKey.set(canonical(element), element);
    if (byKey.size === 0) return;
    this.#keys = [...byKey.keys()].sort();
    this.#elements = this.#keys.map((key) => byKey.get(key) as T);
  }

  get key(): string {
    this.#key ??= `{${this.#keys.join(",")}}`;
    return this.#key;
  }

  get size(): number {
    return this.#elements.length;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#elements.values();
  }

  has(element: T): boolean {
    if (typeof element !== "object") return this.#elements.includes(element);
    const key = canonical(element);
    return this.#keys[this.#place(key)] === key;
  }

  with(...elements: readonly T[]): FiniteSet<T> {
    return elements.reduce<FiniteSet<T>>((set, element) => set.#withOne(element), this);
  }

  #withOne(element: T): FiniteSet<T> {
    const key = canonical(element);
    const place = this.#place(key);
    if (this.#keys[place] === key) return this;
    return inOrder(this.#keys.toSpliced(place, 0, key), this.#elements.toSpliced(place, 0, element));
  }

  /** Where a text stands, or would. */
  #place(key: string): number {
    let [from, to] = [0, this.#keys.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#keys[middle] as string) < key) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  without(...elements: readonly T[]): FiniteSet<T> {
    const gone = elements.map(canonical);
    return this.#keep((i) => !gone.includes(this.#keys[i] as string));
  }

  union(other: Iterable<T>): FiniteSet<T> {
    return this.with(...other);
  }

  map<U extends Value>(transform: (element: T) => U): FiniteSet<U> {
    return new FiniteSet(this.#elements.map((element) => transform(element)));
  }

  filter(keep: (element: T) => boolean): FiniteSet<T> {
    return this.#keep((i) => keep(this.#elements[i] as T));
  }

  #keep(isKept: (index: number) => boolean): FiniteSet<T> {
    const keys: string[] = [];
    const elements: T[] = [];
    for (let i = 0; i < this.#elements.length; i++) {
      if (!isKept(i)) continue;
      keys.push(this.#keys[i] as string);
      elements.push(this.#elements[i] as T);
    }
    return elements.length === this.#elements.length ? this : inOrder(keys, elements);
  }

  some(test: (element: T) => boolean): boolean {
    return this.#elements.some((element) => test(element));
  }

  every(test: (element: T) => boolean): boolean {
    return this.#elements.every((element) => test(element));
  }

  /** The first element, in the set's own order, that passes; TLA+'s CHOOSE. */
  find(test: (element: T) => boolean): T | undefined {
    return this.#elements.find((element) => test(element));
  }
}

/** `{a, b, ...}` */
export function setOf<T extends Value>(...elements: readonly T[]): FiniteSet<T> {
  return new FiniteSet(elements);
}

/** The value with each identity replaced, also those that texts mention. Those that the permutation does not name stay. */
export function permute<T extends Value>(value: T, permutation: ReadonlyMap<Identity, Identity>): T {
  return permuted(value, permutation) as T;
}

function permuted(value: Value, permutation: ReadonlyMap<Identity, Identity>): Value {
  if (typeof value === "symbol") return permutation.get(value) ?? value;
  if (typeof value === "string") return renamed(value, permutation);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof FiniteSet) return value.map((element) => permuted(element, permutation));
  if (Array.isArray(value))
    return (value as readonly Value[]).map((element) => permuted(element, permutation));
  const source = value as { readonly [name: string]: Value };
  const result: Record<string | symbol, Value> = {};
  for (const name of Object.keys(source)) result[name] = permuted(source[name] as Value, permutation);
  for (const id of Object.getOwnPropertySymbols(source)) {
    const image = permutation.get(id as unknown as Identity) ?? (id as unknown as Identity);
    result[image as symbol] = permuted((source as Record<symbol, Value>)[id] as Value, permutation);
  }
  return result as Value;
}

/** Makes a value and everything in it immutable, so that a model that mutates one throws instead of corrupting others. */
export function freeze<T extends Value>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (value instanceof FiniteSet) for (const element of value) freeze(element);
  else
    for (const key of Reflect.ownKeys(value)) freeze((value as Record<string | symbol, Value>)[key] as Value);
  Object.freeze(value);
  if (!(value instanceof FiniteSet)) texts.set(value, canonical(value));
  return value;
}

/** The element at a position from 1, as TLA+ counts; out of range is an error of the model, as it is for TLC. */
export function at<T>(sequence: readonly T[], position: number): T {
  if (!Number.isInteger(position) || position < 1 || position > sequence.length) {
    throw new ModelError(`position ${position} is outside of a sequence of length ${sequence.length}`);
  }
  return sequence[position - 1] as T;
}
