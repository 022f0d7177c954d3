import { canonical, freeze, ModelError, permute, type Value } from "./value.ts";
import { disabled, parameterLists, type Action, type Model, type Now } from "./model.ts";
import type { Identity } from "./identity.ts";

/**
 * The plain meaning of a model: one state and its successors, computed without any cleverness. Engines are compared
 * with it, and whoever needs single steps (replays, the embedded ensemble's tests) uses it.
 */
export interface Step<State> {
  readonly action: string;
  readonly parameters: readonly Value[];
  readonly state: State;
}

/** Every successor, in the order of the actions and of their parameters. Throws ModelError where the model does. */
export function successors<State>(model: Model<State>, state: State): Step<State>[] {
  return model.actions.flatMap((action) => {
    return parameterLists(action, state as Now<State>).flatMap((parameters) => {
      const next = take(action, state, parameters);
      return next === undefined ? [] : [{ action: action.name, parameters, state: next }];
    });
  });
}

/** The state after the action, or undefined where it is not enabled. */
export function take<State>(
  action: Action<State>,
  state: State,
  parameters: readonly Value[],
): State | undefined {
  const next = draft(state);
  let result: void | typeof disabled;
  try {
    result = action.effect(state as Now<State>, next, ...parameters);
  } catch (error) {
    throw new ModelError(
      `${action.name}(${parameters.map(canonical).join(", ")}): ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  return result === disabled ? undefined : frozenState(next);
}

/** A copy whose tables are its own and whose values are shared. */
export function draft<State>(state: State): State {
  return copyTables(state as Value) as State;
}

function copyTables(value: Value, depth: number = 0): Value {
  if (typeof value !== "object" || value === null) return value;
  if (depth > 0 && !isTable(value)) return value;
  const result: Record<string | symbol, Value> = {};
  for (const key of Reflect.ownKeys(value)) {
    result[key] = copyTables((value as Record<string | symbol, Value>)[key] as Value, depth + 1);
  }
  return result as Value;
}

/** Whether a variable is a table of identities, and so is split into entries. */
export function isTable(value: unknown): value is { readonly [identity: symbol]: Value } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.getOwnPropertySymbols(value).length > 0 && Object.keys(value).length === 0;
}

function frozenState<State>(state: State): State {
  return freeze(state as Value) as State;
}

/** Equal for equal states only. Variables named in `without` take no part. */
export function stateKey<State>(state: State, without: readonly string[] = []): string {
  const variables = state as { readonly [name: string]: Value };
  const names = Object.keys(variables).filter((name) => !without.includes(name));
  return names.map((name) => canonical(variables[name] as Value)).join(";");
}

/** The state with its servers renamed. */
export function permuteState<State>(state: State, permutation: ReadonlyMap<Identity, Identity>): State {
  return permute(state as Value, permutation) as State;
}
