import type { Json } from "../../history.ts";
import type { Call, SequentialSpecification } from "../specification.ts";
import { readsOnly } from "./key-value-reads.ts";
import { refusal } from "./refusal.ts";

type Store = Readonly<Record<string, string>>;

/** What stands in the value of a call, and of a `get`'s answer. */
interface Entry {
  readonly key: string;
  readonly value: string;
}

/**
 * Strings by key, "" where nothing was put: `put {key, value}`, `append {key, value}`, `get {key}` -> {key, value}.
 * The keys are independent of each other.
 */
export function keyValue(): SequentialSpecification<Store> {
  return {
    name: "kv",
    refuse: (call) => refusal(call, ["get", "put", "append"]) ?? refuseNoEntry(call),
    initial: {},
    key: (state) => JSON.stringify(Object.entries(state).sort(([a], [b]) => (a < b ? -1 : 1))),
    step: (state, call) => {
      const { key, value } = entryOf(call.argument);
      const before = state[key] ?? "";
      if (call.f === "get")
        return call.result === undefined || entryOf(call.result).value === before ? [state] : [];
      if (call.f === "put") return [withValue(state, key, value)];
      return call.f === "append" ? [withValue(state, key, before + value)] : [];
    },
    partition: (call) => entryOf(call.argument).key,
    readOnly: (call) => call.f === "get",
    effect: (call) => (call.f === "put" ? "overwrites" : call.f === "append" ? "total" : undefined),
    restrictedTo: (calls) => readsOnly(calls.map(stringCall)),
    describeState: (state) => JSON.stringify(state),
    describeCall,
  };
}

function entryOf(value: Json): Entry {
  const { key, value: text } = value as { readonly key?: Json; readonly value?: Json };
  return {
    key: typeof key === "string" ? key : JSON.stringify(key ?? null),
    value: typeof text === "string" ? text : "",
  };
}

function stringCall(call: Call): { key: string; f: string; text: string | undefined } {
  const { key, value } = entryOf(call.argument);
  if (call.f !== "get") return { key, f: call.f, text: value };
  return { key, f: call.f, text: call.result === undefined ? undefined : entryOf(call.result).value };
}

function withValue(state: Store, key: string, value: string): Store {
  const next = { ...state, [key]: value };
  if (value === "") delete next[key];
  return next;
}

function describeCall(call: Call): string {
  const { key, value } = entryOf(call.argument);
  if (call.f !== "get")
    return `${call.f} ${key} ${JSON.stringify(value)}${call.result === undefined ? " -> ?" : ""}`;
  return `get ${key} -> ${call.result === undefined ? "?" : JSON.stringify(entryOf(call.result).value)}`;
}

function refuseNoEntry(call: Call): string | undefined {
  const needsText = call.f === "get" ? call.result : call.argument;
  const entry = (value: Json): Partial<Entry> =>
    typeof value === "object" && value !== null ? (value as Partial<Entry>) : {};
  if (entry(call.argument).key === undefined)
    return `${call.f} needs {key, value}, not ${JSON.stringify(call.argument)}`;
  if (needsText === undefined || typeof entry(needsText).value === "string") return undefined;
  return `${call.f} needs {key, value} with a text for value, not ${JSON.stringify(needsText)}`;
}
