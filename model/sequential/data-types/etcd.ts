import type { Json } from "../../history.ts";
import type { Call, SequentialSpecification } from "../specification.ts";
import { refusal } from "./refusal.ts";

type Fields = { readonly [name: string]: Json };

interface Entry {
  readonly value: string;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: number;
}

export interface EtcdState {
  readonly revision: number;
  readonly keys: { readonly [key: string]: Entry };
  readonly leases: readonly number[];
}

const requests = ["range", "txn", "leaseGrant", "leaseRevoke", "defragment", "compact"];

/**
 * etcd's key-value store as etcd's robustness tests record it: calls are named by the request's type, the argument is
 * that type's request and the result the whole response, with the field names of the report. Modelled after the
 * deterministic model of those tests (github.com/etcd-io/etcd, tests/robustness/model).
 *
 * Differs: reads of an older revision, defragmentation and compaction are taken to answer anything.
 */
export function etcd(): SequentialSpecification<EtcdState> {
  return {
    name: "etcd",
    initial: { revision: 1, keys: {}, leases: [] },
    key: (state) => JSON.stringify([state.revision, Object.entries(state.keys).sort(byKey), state.leases]),
    step: (state, call) => {
      const { next, response } = requested(state, call);
      return call.result === undefined || response === undefined || agree(response, call.result as Fields)
        ? [next]
        : [];
    },
    readOnly: (call) =>
      call.f === "range" || call.f === "defragment" || call.f === "compact" || isReadOnlyTxn(call),
    refuse: (call) => refusal(call, requests),
    describeState: (state) =>
      `revision ${String(state.revision)}, ${String(Object.keys(state.keys).length)} keys`,
  };
}

const byKey = (a: readonly [string, unknown], b: readonly [string, unknown]): number =>
  a[0] < b[0] ? -1 : 1;
const fieldsOf = (value: Json | undefined): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};
const listOf = (value: Json | undefined): readonly Fields[] =>
  Array.isArray(value) ? (value as readonly Fields[]) : [];
const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "");
const numberOf = (value: Json | undefined): number => (typeof value === "number" ? value : 0);
/** Long values stand in a report as their hash. */
const contentOf = (value: Json | undefined): string => {
  const { Value, Hash } = fieldsOf(value);
  return numberOf(Hash) === 0 ? `=${textOf(Value)}` : `#${String(Hash)}`;
};

interface Answer {
  readonly revision: number;
  /** As text, to be compared. */
  readonly body: string;
}

function requested(
  state: EtcdState,
  call: Call,
): { readonly next: EtcdState; readonly response: Answer | undefined } {
  const request = fieldsOf(call.argument);
  if (call.f === "range") {
    if (numberOf(request["Revision"]) !== 0) return { next: state, response: undefined };
    return { next: state, response: { revision: state.revision, body: rangeOf(state, request) } };
  }
  if (call.f === "txn") return transaction(state, request);
  if (call.f === "leaseGrant") {
    const next = { ...state, leases: [...state.leases, numberOf(request["LeaseID"])].sort((a, b) => a - b) };
    return { next, response: { revision: state.revision, body: "" } };
  }
  if (call.f === "leaseRevoke") {
    const next = revoke(state, numberOf(request["LeaseID"]));
    return { next, response: { revision: next.revision, body: "" } };
  }
  return { next: state, response: undefined };
}

function revoke(state: EtcdState, lease: number): EtcdState {
  const kept = Object.entries(state.keys).filter(([, entry]) => entry.lease !== lease);
  const deleted = kept.length < Object.keys(state.keys).length;
  return {
    revision: state.revision + (deleted ? 1 : 0),
    keys: Object.fromEntries(kept),
    leases: state.leases.filter((other) => other !== lease),
  };
}

function transaction(
  state: EtcdState,
  request: Fields,
): { readonly next: EtcdState; readonly response: Answer } {
  const failure = listOf(request["Conditions"]).some((condition) => {
    const entry = state.keys[textOf(condition["Key"])];
    const version = numberOf(condition["ExpectedVersion"]);
    if (version > 0) return (entry?.version ?? 0) !== version;
    return (entry?.modRevision ?? 0) !== numberOf(condition["ExpectedRevision"]);
  });
  let next = state;
  const results: string[] = [];
  for (const operation of listOf(request[failure ? "OperationsOnFailure" : "OperationsOnSuccess"])) {
    if (operation["Type"] === "put-operation") {
      next = put(next, fieldsOf(operation["Put"]), state.revision + 1);
      results.push(resultText("", 0));
    } else if (operation["Type"] === "delete-operation") {
      const key = textOf(fieldsOf(operation["Delete"])["Key"]);
      const { [key]: deleted, ...keys } = next.keys;
      next = { ...next, keys };
      results.push(resultText("", deleted === undefined ? 0 : 1));
    } else results.push(resultText(rangeOf(next, fieldsOf(operation["Range"])), 0));
  }
  if (next.keys !== state.keys && changed(state, next)) next = { ...next, revision: state.revision + 1 };
  return { next, response: { revision: next.revision, body: `${String(failure)} ${results.join(" ")}` } };
}

function put(state: EtcdState, options: Fields, revision: number): EtcdState {
  const key = textOf(options["Key"]);
  const lease = numberOf(options["LeaseID"]);
  if (lease !== 0 && !state.leases.includes(lease)) return state;
  const version = (state.keys[key]?.version ?? 0) + 1;
  const entry: Entry = { value: contentOf(options["Value"]), modRevision: revision, version, lease };
  return { ...state, keys: { ...state.keys, [key]: entry } };
}

/** A deletion of nothing makes another object, but no other revision. */
function changed(before: EtcdState, after: EtcdState): boolean {
  const [old, now] = [Object.keys(before.keys), Object.keys(after.keys)];
  return old.length !== now.length || now.some((key) => before.keys[key] !== after.keys[key]);
}

function rangeOf(state: EtcdState, options: Fields): string {
  const [start, end, limit] = [textOf(options["Start"]), textOf(options["End"]), numberOf(options["Limit"])];
  const entries = Object.entries(state.keys).filter(([key]) =>
    end === "" ? key === start : key >= start && key < end,
  );
  entries.sort(byKey);
  const shown = limit > 0 ? entries.slice(0, limit) : entries;
  return rangeText(
    shown.map(([key, entry]) => [key, entry.value, entry.modRevision]),
    entries.length,
  );
}

function rangeText(entries: readonly (readonly [string, string, number])[], count: number): string {
  return JSON.stringify([entries, count]);
}

const nothingRead = rangeText([], 0);

function resultText(range: string, deleted: number): string {
  return `${range === "" ? nothingRead : range}-${String(deleted)}`;
}

function recordedRange(response: Fields): string {
  const entries = listOf(response["KVs"]).map(
    (pair) => [textOf(pair["Key"]), contentOf(pair["Value"]), numberOf(pair["ModRevision"])] as const,
  );
  return rangeText(entries, numberOf(response["Count"]));
}

function agree(response: Answer, recorded: Fields): boolean {
  const revision = numberOf(recorded["Revision"]);
  if (revision > 0 && revision !== response.revision) return false;
  if (recorded["PartialResponse"] === true) return true;
  const { Range: range, Txn: txn } = recorded;
  if (typeof range === "object" && range !== null) return response.body === recordedRange(range as Fields);
  if (typeof txn !== "object" || txn === null) return true;
  const { Failure: failure, Results: results } = txn as Fields;
  const texts = listOf(results).map((result) =>
    resultText(recordedRange(result), numberOf(result["Deleted"])),
  );
  return response.body === `${String(failure === true)} ${texts.join(" ")}`;
}

function isReadOnlyTxn(call: Call): boolean {
  if (call.f !== "txn") return false;
  const request = fieldsOf(call.argument);
  const operations = [...listOf(request["OperationsOnSuccess"]), ...listOf(request["OperationsOnFailure"])];
  return operations.every((operation) => operation["Type"] === "range-operation");
}
