import { ModelError, type Model, type Value } from "../../model/index.ts";
import { Aspects } from "./aspects.ts";
import { Fingerprints, type Permutation } from "./fingerprints.ts";
import { Knowledge } from "./knowledge.ts";
import { entriesOf, layoutOf, stateOf, type Layout } from "./layout.ts";
import { shapeMask } from "./record.ts";
import {
  fieldBitsMax,
  firstPacking,
  Packing,
  widened,
  widestPacking,
  type Ids,
  type Row,
} from "./packing.ts";
import { Liveness } from "./liveness.ts";
import { Predicates, statePredicates } from "./predicates.ts";
import { makeProjections } from "./projections.ts";
import { Recorder } from "./recorder.ts";
import { StepProperties, stepFlags, stutteringPredicates } from "./step-properties.ts";
import { Transitions } from "./transitions.ts";
import { loggedValues, ValueStore } from "./values.ts";

/** What of a model changes its exploration, besides the model. */
export interface ProgramOptions {
  /** Variables that take no part in a state's identity. */
  readonly ghosts: ReadonlySet<string>;
  /** The permutations under which states count as one, the identity left out. */
  readonly permutations: readonly Permutation[];
  /** Rows are packed once and for all, a word for each component: for searches that keep rows for long. */
  readonly unpacked?: boolean;
  /** Another worker's, where there are several. */
  readonly shared?: SharedLearning;
}

/** What workers find out about properties together. */
export interface SharedLearning {
  readonly knowledge: SharedArrayBuffer;
  readonly projections: SharedArrayBuffer;
  readonly liveness: SharedArrayBuffer;
}

/** A model as one worker runs it: rows of ids, learnt transitions and predicates. */
export class Program {
  readonly model: Model<unknown>;
  readonly layout: Layout;
  readonly store: ValueStore;
  readonly recorder: Recorder;
  readonly fingerprints: Fingerprints;
  readonly transitions: Transitions;
  readonly knowledge: Knowledge;
  readonly liveness: Liveness;
  readonly shared: SharedLearning;
  readonly predicates: Predicates;
  readonly stepProperties: StepProperties;
  /** All packings so far; rows are written in the last. */
  readonly packings: Packing[] = [];
  readonly #values: SharedArrayBuffer;
  readonly #options: ProgramOptions;
  readonly #packingKind: number;
  /** Packings that were read in the log and are not in use yet, by their variables' bits. */
  #announced: (readonly number[])[] = [];
  readonly #ids: Ids;

  constructor(model: Model<unknown>, values: SharedArrayBuffer, options: ProgramOptions) {
    this.model = model;
    this.#values = values;
    this.#options = options;
    const layout = layoutOf(model, options.ghosts);
    this.layout = layout;
    const components = layout.components.length;
    if (components > shapeMask) throw new ModelError(`its state has more than ${shapeMask} entries`);
    this.#ids = new Int32Array(components);
    // Kinds of values: one for each variable, the instances of actions, the packings.
    this.#packingKind = layout.variables.length + 1;
    const added = (kind: number, id: number): void => this.#added(kind, id);
    this.store = new ValueStore(values, this.#packingKind + 1, added);
    const aspects = new Aspects(layout, this.store);
    this.recorder = new Recorder(layout, this.store, aspects);
    this.fingerprints = new Fingerprints(layout, options.permutations);
    this.liveness = new Liveness(layout, options.shared?.liveness);
    const { recorder, store, fingerprints, liveness } = this;
    const first = options.unpacked === true ? widestPacking(layout) : new Packing(layout, this.#firstBits());
    this.transitions = new Transitions(
      model,
      layout,
      store,
      recorder,
      aspects,
      fingerprints,
      liveness,
      first,
    );
    const { effects, instances } = this.transitions;
    const ofStates = statePredicates(model);
    const firstFlag = (model.invariants ?? []).length + (model.witnesses ?? []).length;
    const steps = model.stepProperties ?? [];
    const parts = steps.reduce((sum, { parameters }) => sum + parameters.length, 0);
    const flags = firstFlag + stepFlags * steps.length;
    this.knowledge = new Knowledge(ofStates.length + parts, components, flags, options.shared?.knowledge);
    const { knowledge } = this;
    const projections = options.shared?.projections ?? makeProjections();
    this.shared = { knowledge: knowledge.buffer, projections, liveness: liveness.buffer };
    const startOfSteps = ofStates.length;
    this.stepProperties = new StepProperties(
      model,
      layout,
      store,
      effects,
      instances,
      knowledge,
      liveness,
      first,
      startOfSteps,
      firstFlag,
    );
    const predicates = [...ofStates, ...stutteringPredicates(model, this.stepProperties.parts)];
    this.predicates = new Predicates(
      predicates,
      model.constraint,
      recorder,
      effects,
      knowledge,
      liveness,
      projections,
      first,
    );
    if (options.unpacked === true) this.packings.push(first);
    this.store.catchUp();
    if (options.unpacked !== true && this.#announced.length === 0) {
      this.store.id(this.#packingKind, [...first.bits]);
    }
    this.#takePackings();
  }

  /** Another program of the same model, that shares what all workers share. */
  fork(): Program {
    return new Program(this.model, this.#values, { ...this.#options, shared: this.shared });
  }

  get packing(): Packing {
    return this.packings.at(-1) as Packing;
  }

  /** Ints of a row: its packed ids, then its fingerprints. */
  get stride(): number {
    return this.packing.words + this.fingerprints.width;
  }

  /** The most ints that a row can ever take. */
  get strideMax(): number {
    return this.layout.components.length + this.fingerprints.width;
  }

  /** Bytes of all that was learnt, what is shared left out. */
  get bytes(): number {
    return this.transitions.bytes + this.predicates.bytes + this.stepProperties.bytes;
  }

  /** For each instance that any worker has met: the place of its action in the model. */
  get actionsOfInstances(): readonly number[] {
    const instances = loggedValues(this.#values, this.layout.variables.length);
    return instances.map((value) => (value as readonly [number, ...Value[]])[0]);
  }

  /** What other workers have found out becomes known here. To be called before rows of theirs are read. */
  catchUp(): void {
    this.store.catchUp();
    this.#takePackings();
    this.predicates.catchUp(this.packing);
    this.stepProperties.catchUp(this.packing);
  }

  /** Widens the fields that have become too narrow, for all workers. */
  repack(): void {
    const counts = this.layout.variables.map(({ index }) => this.store.count(index));
    const before = this.packing;
    this.store.id(this.#packingKind, widened(before.bits, counts));
    this.catchUp();
    if (this.packing === before) {
      throw new ModelError(`more than ${2 ** fieldBitsMax} values of one variable`);
    }
  }

  /** The row of a state, with its fingerprints. Throws ModelError for what is no value. */
  rowOf(state: unknown): Row {
    const ids = entriesOf(this.layout, state).map((entry, component) =>
      this.store.id(this.layout.components[component]?.variable.index as number, entry),
    );
    this.#ids.set(ids);
    while (ids.some((id, component) => !this.packing.fits(component, id))) this.repack();
    const row = new Int32Array(this.stride);
    this.packing.pack(this.#ids, row, 0);
    this.fingerprints.write(this.#ids, row, this.packing.words);
    return row;
  }

  /** The ids of a row's components; valid until the next call. */
  idsOf(row: Row, at: number): Ids {
    this.packing.unpack(row, at, this.#ids);
    return this.#ids;
  }

  stateOf(row: Row, at: number, packing: Packing = this.packing): unknown {
    const ids = new Int32Array(this.#ids.length);
    packing.unpack(row, at, ids);
    return stateOf(this.layout, (component) => this.#valueAt(component, ids[component] as number));
  }

  /** Writes rows of an earlier packing in the present one. */
  convert(from: Packing, rows: Row, first: number, count: number, to: Row): void {
    const { width } = this.fingerprints;
    const { packing, stride } = this;
    const before = from.words + width;
    for (let row = 0; row < count; row++) {
      const at = first + row * before;
      from.unpack(rows, at, this.#ids);
      packing.pack(this.#ids, to, row * stride);
      for (let i = 0; i < width; i++)
        to[row * stride + packing.words + i] = rows[at + from.words + i] as number;
    }
  }

  #firstBits(): number[] {
    return firstPacking(this.layout.variables.map(() => 1));
  }

  #valueAt(component: number, id: number): Value {
    return this.store.value(this.layout.components[component]?.variable.index as number, id);
  }

  #added(kind: number, id: number): void {
    const value = this.store.value(kind, id);
    if (kind < this.layout.variables.length) {
      this.fingerprints.add(kind, id, value);
      this.transitions.noteValue(id);
    } else if (kind < this.#packingKind) this.transitions.addInstance(value);
    // Never in the middle of a walk, in which other workers' packings may be met.
    else this.#announced.push(value as readonly number[]);
  }

  /** Rows are written in the last of the packings that were announced. */
  #takePackings(): void {
    if (this.#announced.length === 0) return;
    for (const announced of this.#announced) {
      // Two workers may widen different fields at the same time: none is ever narrowed.
      const before = this.packings.at(-1)?.bits ?? [];
      const bits = announced.map((width, variable) => Math.max(width, before[variable] ?? 0));
      this.packings.push(new Packing(this.layout, bits));
    }
    this.#announced = [];
    this.transitions.repack(this.packing);
  }
}
