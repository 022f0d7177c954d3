import {
  canonical,
  disabled,
  ModelError,
  type Action,
  type Model,
  type Now,
  type Value,
} from "../../model/index.ts";
import type { Fingerprints } from "./fingerprints.ts";
import type { Layout } from "./layout.ts";
import type { Recorder } from "./recorder.ts";
import { Decisions, type Waiting } from "./decisions.ts";
import { Trie, TrieConflict } from "./trie.ts";
import type { ValueStore } from "./values.ts";
import { flipBits, RowsTooNarrow, type Row } from "./row.ts";

/** An action with its parameters. */
export interface Instance {
  readonly action: Action<unknown>;
  readonly actionIndex: number;
  readonly parameters: readonly Value[];
}

/** A leaf of an instance that is not enabled; all others are `-(offset in effects)`. */
const dead = -1;

/**
 * Fields of a record in `effects`. `shape` holds the number of writes, and above them that of the unread ones. After
 * the fields come the fingerprints' change by what is known (the old values of components that were read, the new
 * values of all), then the writes, `component << idBits | id` each, the components that were not read first: their old
 * values are to be taken out of the fingerprint by whoever replays the effect.
 */
export const effect = { instance: 0, shape: 1, checks: 2, change: 3 } as const;

/** Bits of the number of writes in a shape, and of an id in a write. */
export const shapeBits = 12;
export const idBits = 20;
export const shapeMask: number = 2 ** shapeBits - 1;
export const idMask: number = 2 ** idBits - 1;

/**
 * The transition relation as the engine runs it: what each instance of an action does is learnt by running the
 * author's function once for each combination of the components that it reads, and replayed on ids ever after.
 */
export class Transitions implements Waiting {
  readonly instances: Instance[] = [];
  /** Records of effects, see `effect`. */
  effects: Int32Array = new Int32Array(1 << 14);
  decisions: Decisions = new Decisions(this);
  /** The author's functions run so far. */
  evaluations = 0;
  readonly #model: Model<unknown>;
  readonly #layout: Layout;
  readonly #store: ValueStore;
  readonly #instanceKind: number;
  readonly #recorder: Recorder;
  readonly #fingerprints: Fingerprints;
  readonly #own: Trie = new Trie();
  /** Which instance a node of `#own` belongs to; for parameter lists that depend on the state, -1 - action. */
  readonly #owner: number[] = [];
  /** Each instance's root in `#own`: a node or a leaf, 0 before its first run. */
  readonly #roots: number[] = [];
  readonly #parameterRoots: number[];
  #effectsUsed = 2;

  constructor(
    model: Model<unknown>,
    layout: Layout,
    store: ValueStore,
    recorder: Recorder,
    fingerprints: Fingerprints,
  ) {
    this.#model = model;
    this.#layout = layout;
    this.#store = store;
    this.#instanceKind = layout.variables.length;
    this.#recorder = recorder;
    this.#fingerprints = fingerprints;
    this.#parameterRoots = model.actions.map(() => 0);
  }

  /** Follows the store: instances are values there, so that all workers number them alike. */
  addInstance(value: Value): void {
    const [actionIndex, ...parameters] = value as readonly [number, ...Value[]];
    this.instances.push({
      action: this.#model.actions[actionIndex] as Action<unknown>,
      actionIndex,
      parameters,
    });
    this.#roots.push(0);
  }

  /** Where an effect's writes begin. */
  firstWrite(effectAt: number): number {
    return effectAt + effect.change + this.#fingerprints.width;
  }

  /** How many writes an effect has. */
  writeCount(effectAt: number): number {
    return (this.effects[effectAt + effect.shape] as number) & shapeMask;
  }

  get bytes(): number {
    return this.#own.bytes + this.decisions.bytes + this.effects.byteLength;
  }

  /** Decides anew in which order to read, now that more is known of how many values there are. */
  reorder(): void {
    this.decisions = new Decisions(this);
  }

  /** Where a walk begins, in `decisions.code`. */
  start(row: Row, offset: number): number {
    if (this.decisions.start !== 0) return this.decisions.start;
    const references: number[] = [];
    for (const [actionIndex, { parameters }] of this.#model.actions.entries()) {
      if (typeof parameters === "function") {
        const known = this.#parameterRoots[actionIndex] as number;
        references.push(known === 0 ? this.#runParameters(actionIndex, row, offset) : known);
      } else {
        for (const list of parameters) {
          references.push(this.#rootOf(this.#instance(actionIndex, list), row, offset));
        }
      }
    }
    this.decisions.begin(references, row, offset);
    return this.decisions.start;
  }

  component(reference: number): number {
    return this.#own.component(reference);
  }

  valueCount(component: number): number {
    return this.#store.count(this.#layout.components[component]?.variable.index as number);
  }

  /** From a node of an instance's own trie over the row's id to the next node or leaf. */
  advance(node: number, id: number, row: Row, offset: number): number {
    const known = this.#own.child(node, id);
    if (known !== 0) return known;
    const owner = this.#owner[node] as number;
    if (owner >= 0) this.#run(owner, row, offset);
    else this.#runParameters(-1 - owner, row, offset);
    return this.#own.child(node, id);
  }

  leaf(reference: number, row: Row, offset: number, enabled: number[]): readonly number[] {
    if (reference === dead) return [];
    const record = -reference;
    if (this.effects[record + effect.instance] !== -1) {
      enabled.push(record);
      return [];
    }
    const instances = this.effects.slice(record + 2, record + 2 + (this.effects[record + 1] as number));
    return [...instances].map((instance) => this.#rootOf(instance, row, offset));
  }

  #instance(actionIndex: number, parameters: readonly Value[]): number {
    return this.#store.id(this.#instanceKind, [actionIndex, ...parameters]);
  }

  #rootOf(instance: number, row: Row, offset: number): number {
    if (this.#roots[instance] === 0) this.#run(instance, row, offset);
    return this.#roots[instance] as number;
  }

  /** Runs an instance's effect on a row and remembers what it read and wrote. */
  #run(instance: number, row: Row, offset: number): void {
    const { action, parameters } = this.instances[instance] as Instance;
    const recorder = this.#recorder;
    this.evaluations++;
    const label = (): string => `${action.name}(${parameters.map(canonical).join(", ")})`;
    const leaf = attempt(label, () => {
      const result: unknown = recorder.write(row, offset, () =>
        action.effect(recorder.now as Now<unknown>, recorder.next, ...parameters),
      );
      if (result === disabled) return dead;
      if (isThenable(result)) throw new ModelError("an effect must not be asynchronous");
      return -this.#writeEffect(instance);
    });
    const before = this.#own.nodeCount;
    this.#roots[instance] = attempt(label, () =>
      this.#own.insert(this.#roots[instance] as number, recorder.reads, recorder.ids, leaf),
    );
    this.#owner.length = this.#own.nodeCount;
    this.#owner.fill(instance, before);
  }

  #runParameters(actionIndex: number, row: Row, offset: number): number {
    const { name, parameters } = this.#model.actions[actionIndex] as Action<unknown>;
    if (typeof parameters !== "function") throw new TypeError("fixed parameters");
    const recorder = this.#recorder;
    const label = (): string => `the parameters of ${name}`;
    const lists = attempt(label, () =>
      recorder.read(row, offset, () => [...parameters(recorder.now as Now<unknown>)]),
    );
    const reads = [...recorder.reads];
    const ids = [...recorder.ids];
    const leaf = attempt(label, () => {
      const instances = lists.map((list) => this.#instance(actionIndex, list));
      return instances.length === 0 ? dead : -this.#writeRecord([-1, instances.length, ...instances]);
    });
    const before = this.#own.nodeCount;
    const root = attempt(label, () =>
      this.#own.insert(this.#parameterRoots[actionIndex] as number, reads, ids, leaf),
    );
    this.#parameterRoots[actionIndex] = root;
    this.#owner.length = this.#own.nodeCount;
    this.#owner.fill(-1 - actionIndex, before);
    return root;
  }

  #writeEffect(instance: number): number {
    const { reads, ids, written } = this.#recorder;
    // All ids first: new values move the hashes.
    const newIds = written.map((component) => this.#recorder.writtenId(component));
    const { hashes, hashAt, width } = this.#fingerprints;
    const change = new Int32Array(width);
    const unread: number[] = [];
    const read: number[] = [];
    const flip = (component: number, id: number): void => {
      const at = (hashAt[component] as number) + id * width;
      for (let i = 0; i < width; i++) change[i] = (change[i] as number) ^ (hashes[at + i] as number);
    };
    for (const [index, component] of written.entries()) {
      const id = newIds[index] as number;
      const position = reads.indexOf(component);
      if (position >= 0) flip(component, ids[position] as number);
      flip(component, id);
      (position >= 0 ? read : unread).push((component << idBits) | id);
    }
    const shape = written.length | (unread.length << shapeBits);
    return this.#writeRecord([instance, shape, 0, ...change, ...unread, ...read]);
  }

  #writeRecord(record: readonly number[]): number {
    const at = this.#effectsUsed;
    this.#effectsUsed += record.length;
    this.effects = withRoom(this.effects, this.#effectsUsed);
    this.effects.set(record, at);
    return at;
  }
}

/** Replays an effect on a copy of the row before, with its fingerprints. */
export function replayEffect(
  { transitions, fingerprints }: { readonly transitions: Transitions; readonly fingerprints: Fingerprints },
  row: Row,
  offset: number,
  at: number,
): void {
  const { effects } = transitions;
  const { hashes, hashAt, width } = fingerprints;
  const prints = offset + hashAt.length;
  const shape = effects[at + effect.shape] as number;
  const first = at + effect.change + width;
  const end = first + (shape & shapeMask);
  const endOfUnread = first + (shape >>> shapeBits);
  for (let i = 0; i < width; i++) flipBits(row, prints + 2 * i, effects[at + effect.change + i] as number);
  for (let w = first; w < end; w++) {
    const write = effects[w] as number;
    const component = write >>> idBits;
    if (w < endOfUnread) {
      const entry = (hashAt[component] as number) + (row[offset + component] as number) * width;
      for (let i = 0; i < width; i++) flipBits(row, prints + 2 * i, hashes[entry + i] as number);
    }
    row[offset + component] = write & idMask;
  }
}

/** Runs a model's function; what it throws becomes a ModelError that names it. */
export function attempt<T>(label: () => string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof RowsTooNarrow) throw error;
    throw new ModelError(`${label()}: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  if (error instanceof TrieConflict) return "depends on something else than the state and its parameters";
  const mutates = /read only property|not extensible|Cannot (?:delete|define) property/.test(error.message);
  if (error instanceof TypeError && mutates) {
    return `changes a value of the state in place: make a new one instead (${error.message})`;
  }
  return error.message;
}

function isThenable(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value;
}

function withRoom(array: Int32Array, length: number): Int32Array {
  if (length <= array.length) return array;
  const result = new Int32Array(Math.max(length, 2 * array.length));
  result.set(array);
  return result;
}
