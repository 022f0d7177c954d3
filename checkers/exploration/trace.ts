import {
  InputError,
  judgeState,
  judgeStep,
  stateKey,
  take,
  ModelError,
  type Model,
  type ModelDefinition,
  type Parameters,
} from "../../model/index.ts";
import { signatureOf } from "./checkpoint.ts";
import { decodeValue, type EncodedValue } from "./codec.ts";
import { changesBetween, type Change, type Counterexample } from "./counterexample.ts";
import { layoutOf } from "./layout.ts";

/** A counterexample with what is needed to run it again. */
export interface Trace {
  readonly format: "zabcheck-trace";
  readonly formatVersion: 1;
  readonly model: string;
  /** The module that exports the model; null for one of the registry. */
  readonly module: string | null;
  readonly parameters: Parameters;
  readonly variant: string | null;
  /** Of the model's code, see `signatureOf`. */
  readonly signature: string;
  readonly counterexample: Counterexample;
}

export function traceOf(model: Model<unknown>, module: string | null, counterexample: Counterexample): Trace {
  return {
    format: "zabcheck-trace",
    formatVersion: 1,
    model: model.name,
    module,
    parameters: model.parameters,
    variant: model.variant ?? null,
    signature: signatureOf(model),
    counterexample,
  };
}

/** One step of a replay. */
export interface ReplayedStep {
  readonly action: string;
  readonly parameters: readonly EncodedValue[];
  readonly changes: readonly Change[];
}

/** How a replay ended. */
export interface Replay {
  readonly steps: readonly ReplayedStep[];
  /** `broken`: the property is broken as it was; `holds`: all steps are as they were, the property is not. */
  readonly outcome: "broken" | "holds" | "changed";
  /** Whether the model's code differs from that of the trace, or what about it has changed. */
  readonly differs: boolean;
  /** One sentence. */
  readonly detail: string;
}

/**
 * Runs a trace again, step by step, in the model's plain meaning. Where a step is not enabled any more, or leads
 * elsewhere, the model has changed under it.
 * Throws InputError for a trace of another model.
 */
export function replay(definition: ModelDefinition, trace: Trace): Replay {
  const model = definition.build(trace.parameters, trace.variant ?? undefined);
  const differs = signatureOf(model) !== trace.signature;
  const layout = layoutOf(model);
  const { counterexample } = trace;
  const steps: ReplayedStep[] = [];
  const changed = (detail: string): Replay => ({
    steps,
    outcome: "changed",
    differs,
    detail: `the model has changed: ${detail}`,
  });
  let state: unknown = model.initial.find((each) => same(each, counterexample.initial));
  if (state === undefined) return changed("the initial state of the trace is none any more");
  let before: unknown = state;
  for (const [index, { action: name, parameters, state: recorded }] of counterexample.steps.entries()) {
    const at = `step ${index + 1}, ${name}`;
    const action = model.actions.find((each) => each.name === name);
    if (action === undefined) return changed(`${at}: there is no such action any more`);
    let next: unknown;
    try {
      next = take(action, state, parameters.map(decodeValue));
    } catch (error) {
      if (error instanceof ModelError) return changed(`${at}: ${error.message}`);
      throw error;
    }
    if (next === undefined) return changed(`${at}: it is not enabled any more`);
    const changes = changesBetween(layout, state, next);
    steps.push({ action: name, parameters, changes });
    if (!same(next, recorded)) {
      const first = changesBetween(layout, decodeValue(recorded), next)[0];
      return changed(`${at}: it leads elsewhere, first in ${first?.entry ?? "the state's variables"}`);
    }
    before = state;
    state = next;
  }
  const last = counterexample.steps.at(-1);
  const broken = isBroken(model, counterexample, before, state, last?.action ?? "", last?.parameters ?? []);
  const property = counterexample.property;
  return broken
    ? { steps, outcome: "broken", differs, detail: `${property} is broken after ${steps.length} steps` }
    : {
        steps,
        outcome: "holds",
        differs,
        detail: `the steps are as they were, but ${property} is not broken any more`,
      };
}

function same(state: unknown, encoded: EncodedValue): boolean {
  return stateKey(state) === stateKey(decodeValue(encoded));
}

function isBroken(
  model: Model<unknown>,
  { kind, property }: Counterexample,
  before: unknown,
  after: unknown,
  action: string,
  parameters: readonly EncodedValue[],
): boolean {
  switch (kind) {
    case "step": {
      const broken = model.stepProperties?.find(({ name }) => name === property);
      const taken = { action, parameters: parameters.map(decodeValue) };
      return broken !== undefined && judgeStep(broken, before as never, after as never, taken) === false;
    }
    case "invariant": {
      const broken = model.invariants?.find(({ name }) => name === property);
      return broken !== undefined && judgeState(broken, after as never) === false;
    }
    default:
      // Of deadlocks and traps the steps alone are evidence: what follows them has to be explored.
      return true;
  }
}

/** Checks that a parsed JSON value is a trace. Throws InputError that says what was expected. */
export function asTrace(value: unknown, source: string): Trace {
  const it = value as Partial<Trace> | null;
  if (typeof it !== "object" || it === null || it.format !== "zabcheck-trace") {
    throw new InputError(
      `${source}: is no trace`,
      "expected a file that zabcheck explore --trace FILE has written",
    );
  }
  if (it.formatVersion !== 1) {
    throw new InputError(
      `${source}: a trace of format ${String(it.formatVersion)}`,
      "this zabcheck reads format 1",
    );
  }
  const { counterexample } = it;
  const isSound =
    typeof it.model === "string" &&
    typeof it.parameters === "object" &&
    it.parameters !== null &&
    typeof counterexample === "object" &&
    counterexample !== null &&
    typeof counterexample.property === "string" &&
    Array.isArray(counterexample.steps) &&
    counterexample.steps.every(
      (step: unknown) =>
        typeof step === "object" &&
        step !== null &&
        "action" in step &&
        "parameters" in step &&
        "state" in step,
    );
  if (!isSound)
    throw new InputError(
      `${source}: a damaged trace`,
      "expected a model, its parameters and a counterexample",
    );
  return it as Trace;
}

/** The counterexample in Apalache's Informal Trace Format (its ADR 15). Identities become strings, fields of records stay. */
export function itfOf(trace: Trace): object {
  const { initial, steps, property } = trace.counterexample;
  const states = [initial, ...steps.map(({ state }) => state)];
  return {
    "#meta": {
      format: "ITF",
      "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
      description: `${trace.model}: ${property} is broken`,
    },
    params: [],
    vars: Object.keys(states[0] as object),
    states: states.map((state, index) => ({
      "#meta": {
        index,
        ...(index === 0
          ? {}
          : { action: steps[index - 1]?.action, parameters: steps[index - 1]?.parameters.map(itfValue) }),
      },
      ...(itfRecord(state as { readonly [name: string]: EncodedValue }) as object),
    })),
  };
}

function itfValue(encoded: EncodedValue): unknown {
  if (typeof encoded === "number") return { "#bigint": String(encoded) };
  if (encoded === null) return "null";
  if (typeof encoded !== "object") return encoded;
  if (Array.isArray(encoded)) return (encoded as readonly EncodedValue[]).map(itfValue);
  const record = encoded as { readonly [name: string]: EncodedValue };
  if (typeof record["#id"] === "string") return record["#id"];
  if (Array.isArray(record["#set"])) return { "#set": (record["#set"] as EncodedValue[]).map(itfValue) };
  if (Array.isArray(record["#map"])) {
    const entries = record["#map"] as readonly (readonly [EncodedValue, EncodedValue])[];
    return { "#map": entries.map(([key, value]) => [itfValue(key), itfValue(value)]) };
  }
  return itfRecord(record);
}

function itfRecord(record: { readonly [name: string]: EncodedValue }): object {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, itfValue(value)]));
}
