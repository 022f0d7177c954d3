import { nameOf, type Identity } from "./identity.ts";

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
  let text = "";
  for (const name of Object.keys(record).sort()) {
    text += `${text === "" ? "" : ","}${quoted(name)}:${canonical(record[name] as Value)}`;
  }
  const symbols = Object.getOwnPropertySymbols(record) as unknown as Identity[];
  if (symbols.length === 0) return `(${text})`;
  const entries = symbols.map(
    (id) => `@${nameOf(id)}:${canonical((record as Record<symbol, Value>)[id as symbol] as Value)}`,
  );
  return `(${[...(text === "" ? [] : [text]), ...entries.sort()].join(",")})`;
}

/** An immutable set of values, equal by content. Iteration is in an order that depends on the content alone. */
export class FiniteSet<T extends Value> implements Iterable<T> {
  readonly #elements: ReadonlyMap<string, T>;
  #key: string | undefined;

  constructor(elements: Iterable<T> = []) {
    const byKey = new Map<string, T>();
    for (const element of elements) byKey.set(canonical(element), element);
    const sorted = [...byKey.keys()].sort();
    this.#elements = new Map(sorted.map((key) => [key, byKey.get(key) as T]));
  }

  get key(): string {
    this.#key ??= `{${[...this.#elements.keys()].join(",")}}`;
    return this.#key;
  }

  get size(): number {
    return this.#elements.size;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#elements.values();
  }

  has(element: T): boolean {
    return this.#elements.has(canonical(element));
  }

  with(...elements: readonly T[]): FiniteSet<T> {
    return elements.every((element) => this.has(element)) ? this : new FiniteSet([...this, ...elements]);
  }

  without(...elements: readonly T[]): FiniteSet<T> {
    const gone = new Set(elements.map(canonical));
    return new FiniteSet([...this].filter((element) => !gone.has(canonical(element))));
  }

  union(other: Iterable<T>): FiniteSet<T> {
    return this.with(...other);
  }

  map<U extends Value>(transform: (element: T) => U): FiniteSet<U> {
    return new FiniteSet([...this].map(transform));
  }

  filter(keep: (element: T) => boolean): FiniteSet<T> {
    return new FiniteSet([...this].filter(keep));
  }

  some(test: (element: T) => boolean): boolean {
    return [...this].some(test);
  }

  every(test: (element: T) => boolean): boolean {
    return [...this].every(test);
  }

  /** The first element, in the set's own order, that passes; TLA+'s CHOOSE. */
  find(test: (element: T) => boolean): T | undefined {
    return [...this].find(test);
  }
}

/** `{a, b, ...}` */
export function setOf<T extends Value>(...elements: readonly T[]): FiniteSet<T> {
  return new FiniteSet(elements);
}

/** The value with each identity replaced. Identities that the permutation does not name stay. */
export function permute<T extends Value>(value: T, permutation: ReadonlyMap<Identity, Identity>): T {
  return permuted(value, permutation) as T;
}

function permuted(value: Value, permutation: ReadonlyMap<Identity, Identity>): Value {
  if (typeof value === "symbol") return permutation.get(value) ?? value;
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
