import {
  canonical,
  disabled,
  fixedLists,
  ModelError,
  parameterFunctions,
  type Action,
  type Model,
  type Now,
  type ParametersOf,
  type Value,
} from "../../model/index.ts";
import type { Aspects } from "./aspects.ts";
import { Decisions, type Waiting } from "./decisions.ts";
import { Effects } from "./effects.ts";
import type { Fingerprints } from "./fingerprints.ts";
import type { Layout } from "./layout.ts";
import type { Liveness } from "./liveness.ts";
import { PackingOutgrown, type Ids, type Packing, type Row } from "./packing.ts";
import type { Recorder } from "./recorder.ts";
import { Trie, TrieConflict } from "./trie.ts";
import type { ValueStore } from "./values.ts";

/** An action with its parameters. */
export interface Instance {
  readonly action: Action<unknown>;
  readonly actionIndex: number;
  readonly parameters: readonly Value[];
}

/** A function of the state that an action's parameter lists come from. */
interface ParameterSource {
  readonly actionIndex: number;
  readonly lists: ParametersOf<unknown, readonly Value[]>;
}

/** A leaf of an instance that is not enabled. Others are `-2 - n`: n is an effect, or a list where that is the owner's. */
const dead = -1;

/** The first effects, and one in so many of the later, are run twice: a model's clock or chance is found out. */
const alwaysTwice = 500;
const sometimesTwice = 50;
const dependsOnMore =
  "depends on something else than the state and its parameters (or gives project a function made anew each time)";

/**
 * The transition relation as the engine runs it: what each instance of an action does is learnt by running the
 * author's function once for each combination of the components that it reads, and replayed on ids ever after.
 */
export class Transitions implements Waiting {
  readonly instances: Instance[] = [];
  readonly effects: Effects;
  decisions: Decisions;
  /** The author's functions run so far. */
  evaluations = 0;
  readonly #model: Model<unknown>;
  readonly #layout: Layout;
  readonly #store: ValueStore;
  readonly #instanceKind: number;
  readonly #recorder: Recorder;
  readonly #aspects: Aspects;
  readonly #liveness: Liveness;
  readonly #own: Trie;
  /** Which instance a node of `#own` belongs to; for functions of the state, -1 - its place in `#parameters`. */
  readonly #owner: number[] = [];
  /** Each instance's root in `#own`: a node or a leaf, 0 before its first run. */
  readonly #roots: number[] = [];
  /** The functions of the state that parameter lists come from, and their roots in `#own`. */
  readonly #parameters: readonly ParameterSource[];
  readonly #parameterRoots: number[];
  /** Lists of instances that parameters which depend on the state have come to; leaves of them are even. */
  readonly #lists: (readonly number[])[] = [];
  /** The state at hand. */
  readonly #ids: Ids;
  #packing: Packing;
  /** Decisions were made while a variable had one value that now has two. */
  #isOutdated = false;

  constructor(
    model: Model<unknown>,
    layout: Layout,
    store: ValueStore,
    recorder: Recorder,
    aspects: Aspects,
    fingerprints: Fingerprints,
    liveness: Liveness,
    packing: Packing,
  ) {
    this.#model = model;
    this.#layout = layout;
    this.#store = store;
    this.#instanceKind = layout.variables.length;
    this.#recorder = recorder;
    this.#aspects = aspects;
    this.#liveness = liveness;
    this.#own = new Trie(layout.components.length, (asked) => aspects.componentOf(asked));
    this.#ids = new Int32Array(layout.components.length);
    this.#parameters = model.actions.flatMap((action, actionIndex) =>
      (parameterFunctions(action) ?? []).map((lists) => ({ actionIndex, lists })),
    );
    this.#parameterRoots = this.#parameters.map(() => 0);
    this.#packing = packing;
    this.effects = new Effects(fingerprints, packing, {
      valueOf: (component, id) => store.value(layout.components[component]?.variable.index as number, id),
      idOf: (component, value) => recorder.idOf(component, value),
    });
    this.decisions = new Decisions(this, packing);
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

  get bytes(): number {
    return this.#own.bytes + this.decisions.bytes + this.effects.bytes;
  }

  /** Rows are packed otherwise from now on. */
  repack(packing: Packing): void {
    this.#packing = packing;
    this.effects.repack(packing);
    this.forgetDecisions();
  }

  /** Decides anew in which order to look, now that more is known of how many values there are. */
  forgetDecisions(): void {
    this.decisions = new Decisions(this, this.#packing);
    this.#isOutdated = false;
  }

  /** A variable has another value. */
  noteValue(id: number): void {
    if (id === 1) this.#isOutdated = true;
  }

  /** Where a walk begins, as a target of `decisions`. */
  start(row: Row, at: number): number {
    if (this.#isOutdated) this.forgetDecisions();
    if (this.decisions.start !== 0) return this.decisions.start;
    this.#packing.unpack(row, at, this.#ids);
    const fixed = this.#model.actions.flatMap((action, actionIndex) =>
      fixedLists(action).map((list) => this.#rootOf(this.#instance(actionIndex, list))),
    );
    const dependent = this.#parameterRoots.map((root, index) =>
      root === 0 ? this.#runParameters(index) : root,
    );
    const references = [...fixed, ...dependent];
    return this.decisions.begin(references);
  }

  /** Learns where a node of the decisions leads to for a row. */
  learn(node: number, key: number, row: Row, at: number): number {
    this.#packing.unpack(row, at, this.#ids);
    return this.decisions.learn(node, key, this.#ids);
  }

  get setWords(): number {
    return this.#own.setWords;
  }

  component(reference: number): number {
    return this.#aspects.componentOf(this.#own.component(reference));
  }

  below(reference: number, word: number): number {
    return this.#own.below(reference, word);
  }

  valueCount(component: number): number {
    return this.#store.count(this.#layout.components[component]?.variable.index as number);
  }

  advance(node: number, id: number): number {
    const seen = this.#aspects.idOf(this.#own.component(node), id);
    const known = this.#own.child(node, seen);
    if (known !== 0) return known;
    const owner = this.#owner[node] as number;
    if (owner >= 0) this.#run(owner);
    else this.#runParameters(-1 - owner);
    return this.#own.child(node, seen);
  }

  leaf(reference: number, enabled: number[]): readonly number[] {
    if (reference === dead) return none;
    const number = -2 - reference;
    if (number % 2 === 0) return (this.#lists[number / 2] as readonly number[]).map((i) => this.#rootOf(i));
    enabled.push(this.effects.recordOf((number - 1) / 2));
    return none;
  }

  #instance(actionIndex: number, parameters: readonly Value[]): number {
    return this.#store.id(this.#instanceKind, [actionIndex, ...parameters]);
  }

  #rootOf(instance: number): number {
    if (this.#roots[instance] === 0) this.#run(instance);
    return this.#roots[instance] as number;
  }

  /** Runs an instance's effect on the state at hand and remembers what it read and wrote. */
  #run(instance: number): void {
    const { action, parameters } = this.instances[instance] as Instance;
    const recorder = this.#recorder;
    this.evaluations++;
    const label = (): string => `${action.name}(${parameters.map(canonical).join(", ")})`;
    this.#roots[instance] = attempt(label, () => {
      const effect = (): unknown =>
        recorder.write(this.#ids, () =>
          action.effect(recorder.now as Now<unknown>, recorder.next, ...parameters),
        );
      const result = effect();
      if (isThenable(result)) throw new ModelError("an effect must not be asynchronous");
      if (this.evaluations <= alwaysTwice || this.evaluations % sometimesTwice === 0) {
        const once = this.#done(result);
        if (this.#done(effect()) !== once) throw new ModelError(dependsOnMore);
      }
      const leaf = result === disabled ? dead : -3 - 2 * this.#addEffect(instance);
      return this.#insert(this.#roots[instance] as number, instance, leaf);
    });
  }

  /** What an effect has read and done, as text. */
  #done(result: unknown): string {
    const { reads, ids, written, updated } = this.#recorder;
    const writtenIds = written.map((component) => this.#recorder.writtenId(component));
    return [result === disabled ? "disabled" : "enabled", reads, ids, written, writtenIds, updated].join(";");
  }

  #addEffect(instance: number): number {
    const { reads, ids, written, updated, changes } = this.#recorder;
    this.#liveness.noteOverwritten(written);
    // All ids first: new values move the hashes.
    const writeIds = written.map((component) => this.#recorder.writtenId(component));
    // Of a component of which an aspect was read it is not known what it was.
    const isWhole = (_: unknown, i: number): boolean =>
      this.#aspects.componentOf(reads[i] as number) === reads[i];
    const readIds = ids.filter(isWhole);
    return this.effects.add({
      instance,
      reads: reads.filter(isWhole),
      readIds,
      writes: written,
      writeIds,
      updated,
      changes,
    });
  }

  #runParameters(index: number): number {
    const { actionIndex, lists } = this.#parameters[index] as ParameterSource;
    const recorder = this.#recorder;
    const root = attempt(
      () => `the parameters of ${this.#model.actions[actionIndex]?.name}`,
      () => {
        const found = recorder.readThrough(this.#ids, () => [...lists(recorder.now as Now<unknown>)]);
        const instances = found.map((list) => this.#instance(actionIndex, list));
        const leaf = instances.length === 0 ? dead : -2 - 2 * (this.#lists.push(instances) - 1);
        return this.#insert(this.#parameterRoots[index] as number, -1 - index, leaf);
      },
    );
    this.#parameterRoots[index] = root;
    return root;
  }

  /** Adds what the last evaluation read to a trie of its owner's. */
  #insert(root: number, owner: number, leaf: number): number {
    const before = this.#own.nodeCount;
    const { reads, ids } = this.#recorder;
    for (const read of reads) this.#liveness.noteRead(this.#aspects.componentOf(read));
    const inserted = this.#own.insert(root, reads, ids, leaf);
    for (let node = before; node < this.#own.nodeCount; node++) this.#owner[node] = owner;
    return inserted;
  }
}

const none: readonly number[] = [];

/** Runs a model's function; what it throws becomes a ModelError that names it. */
export function attempt<T>(label: () => string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof PackingOutgrown) throw error;
    throw new ModelError(`${label()}: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  if (error instanceof TrieConflict) return dependsOnMore;
  const mutates = /read only property|not extensible|Cannot (?:delete|define) property/.test(error.message);
  if (error instanceof TypeError && mutates) {
    return `changes a value of the state in place: make a new one instead (${error.message})`;
  }
  return error.message;
}

function isThenable(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value;
}
