import { canonical, freeze, ModelError, type Value } from "../../model/index.ts";
import { decodeValue, encodeValue, type EncodedValue } from "./codec.ts";
import { growable, growTo, lock, unlock } from "./memory.ts";

/** Words of the log's header; entries follow, each [kind, length in bytes, JSON]. */
const header = { lock: 0, end: 1, bytes: 16 } as const;

/** The log of values in the order in which they were first met, shared between workers: it defines everybody's ids. */
export function makeValueLog(bytesMax: number = 2 ** 31): SharedArrayBuffer {
  const log = growable(2 ** 16, bytesMax);
  new Int32Array(log, 0, 4)[header.end] = header.bytes;
  return log;
}

/** The written part of a log. */
export function logBytes(log: SharedArrayBuffer): Uint8Array {
  return new Uint8Array(log, 0, Atomics.load(new Int32Array(log, 0, 4), header.end));
}

/** The values of one kind that a log holds, in the order of their ids. */
export function loggedValues(log: SharedArrayBuffer, wanted: number): Value[] {
  const values: Value[] = [];
  const end = Atomics.load(new Int32Array(log, 0, 4), header.end);
  let at: number = header.bytes;
  while (at < end) {
    const { kind, length } = headAt(log, at);
    if (kind === wanted) values.push(valueAt(log, at, length));
    at += headBytes + length;
  }
  return values;
}

const headBytes = 8;

function headAt(log: SharedArrayBuffer, at: number): { readonly kind: number; readonly length: number } {
  const view = new DataView(log, at, headBytes);
  return { kind: view.getUint32(0), length: view.getUint32(4) };
}

function valueAt(log: SharedArrayBuffer, at: number, length: number): Value {
  const bytes = new Uint8Array(log, at + headBytes, length).slice();
  return decodeValue(JSON.parse(new TextDecoder().decode(bytes)) as EncodedValue);
}

/**
 * Hash-consing: equal values of one kind (a variable, or the actions' instances) have one small id, and one frozen
 * object in each worker.
 */
export class ValueStore {
  readonly #log: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #values: Value[][];
  readonly #ids: Map<string, number>[];
  readonly #byObject: WeakMap<object, number>[];
  readonly #added: (kind: number, id: number) => void;
  #position: number = header.bytes;

  /** `added` is told each new id, also of those that other workers made. */
  constructor(log: SharedArrayBuffer, kinds: number, added: (kind: number, id: number) => void) {
    this.#log = log;
    this.#words = new Int32Array(log, 0, 4);
    this.#added = added;
    this.#values = Array.from({ length: kinds }, () => []);
    this.#ids = Array.from({ length: kinds }, () => new Map());
    this.#byObject = Array.from({ length: kinds }, () => new WeakMap());
  }

  count(kind: number): number {
    return (this.#values[kind] as Value[]).length;
  }

  value(kind: number, id: number): Value {
    return (this.#values[kind] as Value[])[id] as Value;
  }

  /** The id of a value, which is frozen. Throws ModelError for what is no value. */
  id(kind: number, value: Value): number {
    const isObject = typeof value === "object" && value !== null;
    const byObject = this.#byObject[kind] as WeakMap<object, number>;
    const known = isObject ? byObject.get(value) : undefined;
    if (known !== undefined) return known;
    const key = canonical(value);
    const ids = this.#ids[kind] as Map<string, number>;
    const id = ids.get(key) ?? this.#append(kind, key, value);
    // Only the store's own object is remembered: a model could still mutate another one.
    if (isObject) byObject.set(this.value(kind, id) as object, id);
    return id;
  }

  /** Reads what other workers have added. To be called before their rows are read. */
  catchUp(): void {
    if (Atomics.load(this.#words, header.end) !== this.#position) this.#read();
  }

  #append(kind: number, key: string, value: Value): number {
    // Encoding may throw: not while others wait.
    const encoded = new TextEncoder().encode(JSON.stringify(encodeValue(value)));
    lock(this.#words, header.lock);
    try {
      this.catchUp();
      const known = (this.#ids[kind] as Map<string, number>).get(key);
      if (known !== undefined) return known;
      const end = this.#position + headBytes + encoded.length;
      if (!growTo(this.#log, Math.max(end, Math.min(2 * end, 2 ** 30)))) {
        throw new ModelError("the model's states consist of too many different values to be kept");
      }
      const view = new DataView(this.#log, this.#position);
      view.setUint32(0, kind);
      view.setUint32(4, encoded.length);
      new Uint8Array(this.#log, this.#position + headBytes, encoded.length).set(encoded);
      this.#position = end;
      Atomics.store(this.#words, header.end, end);
      return this.#add(kind, key, freeze(value));
    } finally {
      unlock(this.#words, header.lock);
    }
  }

  #read(): void {
    const end = Atomics.load(this.#words, header.end);
    while (this.#position < end) {
      const { kind, length } = headAt(this.#log, this.#position);
      const value = valueAt(this.#log, this.#position, length);
      this.#position += headBytes + length;
      this.#add(kind, canonical(value), freeze(value));
    }
  }

  #add(kind: number, key: string, value: Value): number {
    const values = this.#values[kind] as Value[];
    const id = values.length;
    values.push(value);
    (this.#ids[kind] as Map<string, number>).set(key, id);
    if (typeof value === "object" && value !== null)
      (this.#byObject[kind] as WeakMap<object, number>).set(value, id);
    this.#added(kind, id);
    return id;
  }
}
