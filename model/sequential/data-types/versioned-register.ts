import type { Json, Stat } from "../../history.ts";
import type { Call, SequentialSpecification } from "../specification.ts";

/** One znode on its own: what it holds and how often it was changed, or that it does not exist. */
export type VersionedState = { readonly data: string | null; readonly version: number } | "absent";

/**
 * A register with versions: one znode for each path, apart from the tree around it. Calls are those of a ZooKeeper
 * client: `setData {path, data, version}`, `getData {path}`, `exists {path}`, `check {path, version}`,
 * `create {path, data, mode}` (not sequential), `delete {path, version}`; `version` -1 fits any.
 *
 * A result is what the server answered: `{data, stat}` with the fields that the operation has (of the Stat only
 * `version` is looked at), or `{error}` with a definite error: BadVersion, NoNode and NodeExists tell about the znode,
 * any other error tells nothing. Errors never change the state. Not for znodes that vanish with their session.
 */
export function versionedRegister(
  initial: VersionedState = { data: "", version: 0 },
): SequentialSpecification<VersionedState> {
  return {
    name: "versioned-register",
    initial,
    key: (state) => (state === "absent" ? "" : `${state.version} ${JSON.stringify(state.data)}`),
    step: stepOfZnode,
    partition: (call) => fieldsOf(call.argument)["path"] as string,
    readOnly: (call) =>
      call.f === "getData" || call.f === "exists" || call.f === "check" || errorOf(call.result) !== undefined,
    describeState: (state) =>
      state === "absent" ? "no node" : `${JSON.stringify(state.data)} in version ${state.version}`,
    describeCall,
  };
}

const known: ReadonlySet<string> = new Set(["create", "delete", "setData", "getData", "exists", "check"]);

function stepOfZnode(state: VersionedState, call: Call): readonly VersionedState[] {
  if (!known.has(call.f)) return [];
  const request = fieldsOf(call.argument);
  const expected = typeof request["version"] === "number" ? request["version"] : -1;
  const error = errorThere(state, call.f, expected);
  if (call.result === undefined) return error === undefined ? [afterwards(state, call.f, request)] : [state];
  const answered = errorOf(call.result);
  if (answered !== undefined) {
    const tells = answered === "BadVersion" || answered === "NoNode" || answered === "NodeExists";
    return !tells || answered === error ? [state] : [];
  }
  if (error !== undefined) return [];
  const next = afterwards(state, call.f, request);
  return fits(next, call) ? [next] : [];
}

/** The error that the znode gives to a call, if it gives one. */
function errorThere(state: VersionedState, f: string, expected: number): string | undefined {
  if (f === "create") return state === "absent" ? undefined : "NodeExists";
  if (state === "absent") return "NoNode";
  const conditional = f === "setData" || f === "delete" || f === "check";
  return conditional && expected !== -1 && expected !== state.version ? "BadVersion" : undefined;
}

function afterwards(
  state: VersionedState,
  f: string,
  request: { readonly [key: string]: Json },
): VersionedState {
  if (f === "delete") return "absent";
  const data = typeof request["data"] === "string" ? request["data"] : null;
  if (f === "create") return { data, version: 0 };
  return f === "setData" && state !== "absent" ? { data, version: (state.version + 1) | 0 } : state;
}

/** Whether the answer shows this state. */
function fits(state: VersionedState, call: Call): boolean {
  const result = fieldsOf(call.result ?? null);
  const stat = result["stat"] as unknown as Stat | undefined;
  if (state === "absent") return true;
  if (stat !== undefined && call.f !== "delete" && stat.version !== state.version) return false;
  return call.f !== "getData" || result["data"] === undefined || result["data"] === state.data;
}

function errorOf(result: Json | undefined): string | undefined {
  const error = fieldsOf(result ?? null)["error"];
  return typeof error === "string" ? error : undefined;
}

function fieldsOf(value: Json): { readonly [key: string]: Json } {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as { readonly [key: string]: Json }) : {};
}

function describeCall(call: Call): string {
  const { path, data, version } = fieldsOf(call.argument);
  const condition = typeof version === "number" && version !== -1 ? ` if version ${version}` : "";
  const written = data === undefined ? "" : ` ${JSON.stringify(data)}`;
  const result = fieldsOf(call.result ?? null);
  const stat = result["stat"] as unknown as Stat | undefined;
  const shown = [
    errorOf(call.result),
    call.f === "getData" && result["data"] !== undefined ? JSON.stringify(result["data"]) : undefined,
    stat === undefined ? undefined : `version ${stat.version}`,
  ].filter((part) => part !== undefined);
  const answer = call.result === undefined ? "?" : shown.join(", ") || "ok";
  return `${call.f} ${String(path)}${written}${condition} -> ${answer}`;
}
