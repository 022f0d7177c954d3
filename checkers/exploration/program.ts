import { ModelError, type Model, type Value } from "../../model/index.ts";
import { Fingerprints, type Permutation } from "./fingerprints.ts";
import { Knowledge } from "./knowledge.ts";
import { entriesOf, layoutOf, stateOf, type Layout } from "./layout.ts";
import { Predicates } from "./predicates.ts";
import { Recorder } from "./recorder.ts";
import { StepProperties } from "./step-properties.ts";
import { idMask, shapeMask, Transitions } from "./transitions.ts";
import { ValueStore } from "./values.ts";
import { makeRow, narrowIdsMax, RowsTooNarrow, type Row } from "./row.ts";

/** What of a model changes its exploration, besides the model. */
export interface ProgramOptions {
  /** Variables that take no part in a state's identity. */
  readonly ghosts: ReadonlySet<string>;
  /** The permutations under which states count as one, the identity left out. */
  readonly permutations: readonly Permutation[];
  /** Rows of 32 bits an entry, for variables of more than 65,536 values. */
  readonly wide?: boolean;
  /** Another worker's, where there are several. */
  readonly knowledge?: SharedArrayBuffer;
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
  readonly predicates: Predicates;
  readonly stepProperties: StepProperties;
  readonly wide: boolean;
  /** Entries of a row: its components' ids, then its fingerprints. */
  readonly stride: number;

  constructor(model: Model<unknown>, values: SharedArrayBuffer, options: ProgramOptions) {
    this.model = model;
    this.wide = options.wide === true;
    const layout = layoutOf(model, options.ghosts);
    this.layout = layout;
    if (layout.components.length > shapeMask)
      throw new ModelError(`its state has more than ${shapeMask} entries`);
    const kinds = layout.variables.length + 1;
    this.store = new ValueStore(values, kinds, (kind, id) => this.#added(kind, id));
    this.recorder = new Recorder(layout, this.store);
    this.fingerprints = new Fingerprints(layout, options.permutations);
    this.transitions = new Transitions(model, layout, this.store, this.recorder, this.fingerprints);
    const { recorder, store, transitions } = this;
    const predicates = (model.invariants ?? []).length + (model.witnesses ?? []).length + 1;
    const properties = predicates + 2 * (model.stepProperties ?? []).length;
    this.knowledge = new Knowledge(properties, layout.components.length, options.knowledge);
    this.stepProperties = new StepProperties(model, layout, store, transitions, this.knowledge);
    this.predicates = new Predicates(model, recorder, transitions, this.stepProperties, this.knowledge);
    // Even, so that rows can be copied in units of 32 bits.
    this.stride = 2 * Math.ceil((layout.components.length + 2 * this.fingerprints.width) / 2);
    this.store.catchUp();
  }

  /** The row of a state, with its fingerprints. Throws ModelError for what is no value. */
  rowOf(state: unknown): Row {
    const row = makeRow(this.stride, this.wide);
    for (const [component, entry] of entriesOf(this.layout, state).entries()) {
      row[component] = this.store.id(this.layout.components[component]?.variable.index as number, entry);
    }
    this.fingerprints.write(row, 0);
    return row;
  }

  stateOf(row: Row, offset: number): unknown {
    return stateOf(this.layout, (component) => this.#valueAt(component, row[offset + component] as number));
  }

  #valueAt(component: number, id: number): Value {
    return this.store.value(this.layout.components[component]?.variable.index as number, id);
  }

  #added(kind: number, id: number): void {
    if (kind < this.layout.variables.length && id >= narrowIdsMax && !this.wide) throw new RowsTooNarrow();
    if (id > idMask) throw new ModelError(`more than ${idMask} different values of one variable`);
    if (kind < this.layout.variables.length) this.fingerprints.add(kind, id, this.store.value(kind, id));
    else this.transitions.addInstance(this.store.value(kind, id));
  }
}
