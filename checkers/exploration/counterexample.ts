import {
  ModelError,
  nameOf,
  stateKey,
  take,
  type Action,
  type Identity,
  type Value,
} from "../../model/index.ts";
import { encodeValue, type EncodedValue } from "./codec.ts";
import { forEachEntry, type Layout } from "./layout.ts";
import type { Instance } from "./transitions.ts";

/** What a step did to one entry of the state. */
export interface Change {
  /** "msgs[s1][s2]" */
  readonly entry: string;
  readonly before: EncodedValue;
  readonly after: EncodedValue;
}

export interface CounterexampleStep {
  readonly action: string;
  readonly parameters: readonly EncodedValue[];
  /** Who acted: its lane in a picture; null where nobody in particular. */
  readonly actor: string | null;
  readonly fault: boolean;
  readonly changes: readonly Change[];
  /** The whole state after the step. */
  readonly state: EncodedValue;
}

/** A path from an initial state to where a property breaks. */
export interface Counterexample {
  readonly property: string;
  readonly kind: "invariant" | "step" | "deadlock" | "recoverable" | "error";
  /** Its number of states: one more than its steps. */
  readonly length: number;
  readonly initial: EncodedValue;
  readonly steps: readonly CounterexampleStep[];
}

/** One step of a path before it is told. */
export interface PathStep {
  readonly action: Action<unknown>;
  readonly parameters: readonly Value[];
  readonly state: unknown;
}

/** Runs a path of instances again, in the model's plain meaning. Throws ModelError where a step is not enabled. */
export function replayInstances(initial: unknown, instances: readonly Instance[]): PathStep[] {
  let state = initial;
  return instances.map(({ action, parameters }) => {
    const next = take(action, state, parameters);
    if (next === undefined) throw new ModelError(`${action.name}: enabled before, and no longer so`);
    state = next;
    return { action, parameters, state };
  });
}

export function tellCounterexample(
  layout: Layout,
  property: string,
  kind: Counterexample["kind"],
  initial: unknown,
  path: readonly PathStep[],
): Counterexample {
  let before = initial;
  const steps = path.map(({ action, parameters, state }) => {
    const changes = changesBetween(layout, before, state);
    before = state;
    return {
      action: action.name,
      parameters: parameters.map(encodeValue),
      actor: actorOf(action, parameters),
      fault: action.fault === true,
      changes,
      state: encodeValue(state as Value),
    };
  });
  return { property, kind, length: steps.length + 1, initial: encodeValue(initial as Value), steps };
}

/** Who acts: what the action says, else the first identity among its parameters. */
export function actorOf(action: Action<unknown>, parameters: readonly Value[]): string | null {
  const actor = action.actor === undefined ? firstIdentity(parameters) : action.actor(...parameters);
  return actor === undefined ? null : nameOf(actor);
}

function firstIdentity(parameters: readonly Value[]): Identity | undefined {
  return parameters.find((parameter) => typeof parameter === "symbol") as Identity | undefined;
}

export function changesBetween(layout: Layout, before: unknown, after: unknown): Change[] {
  const changes: Change[] = [];
  for (const { name, shape } of layout.variables) {
    const olds: Value[] = [];
    forEachEntry(shape, (before as Record<string, Value>)[name] as Value, name, (component, entry) => {
      olds[component] = entry;
    });
    forEachEntry(shape, (after as Record<string, Value>)[name] as Value, name, (component, entry) => {
      const old = olds[component] as Value;
      if (old === entry || stateKey({ entry: old }) === stateKey({ entry })) return;
      const label = layout.components[component]?.name ?? name;
      changes.push({ entry: label, before: encodeValue(old), after: encodeValue(entry) });
    });
  }
  return changes;
}
