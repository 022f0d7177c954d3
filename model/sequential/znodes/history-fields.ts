import { InputError } from "../../errors.ts";
import { type Event, isStat, type Json } from "../../history.ts";
import type { ZnodeRequest } from "./operations.ts";

/*
 * What the fields of a history of znode operations must be (history-form.ts): a history comes from anywhere, and what
 * is not of the form is refused before a checker sees it.
 */

export type JsonObject = { readonly [key: string]: Json };

export const synced = "sync+";

/** Whether `f` names a sync followed by a read. */
export function isSynced(f: string): boolean {
  return f.startsWith(synced);
}

type FieldKind =
  | "text"
  | "text or null"
  | "integer"
  | "a list of text"
  | "a list of entries {permissions, scheme, id}"
  | "a list of operations"
  | "a create mode";

const path = ["path", "text"] as const;
const version = ["version", "integer"] as const;
const neededFields: { readonly [op in ZnodeRequest["op"]]: readonly (readonly [string, FieldKind])[] } = {
  create: [path, ["data", "text or null"], ["mode", "a create mode"]],
  delete: [path, version],
  setData: [path, ["data", "text or null"], version],
  check: [path, version],
  exists: [path],
  getData: [path],
  getChildren: [path],
  getACL: [path],
  setACL: [path, ["acl", "a list of entries {permissions, scheme, id}"], version],
  sync: [path],
  multi: [["operations", "a list of operations"]],
  addWatch: [path, ["mode", "text"]],
  removeWatches: [path, ["kind", "text"]],
  setWatches: [
    ["relativeZxid", "integer"],
    ["data", "a list of text"],
    ["exists", "a list of text"],
    ["children", "a list of text"],
    ["persistent", "a list of text"],
    ["persistentRecursive", "a list of text"],
  ],
  addAuth: [
    ["scheme", "text"],
    ["auth", "text"],
  ],
  reconfig: [],
  closeSession: [],
};

export const createModes: ReadonlySet<Json> = new Set([
  "persistent",
  "persistent-sequential",
  "ephemeral",
  "ephemeral-sequential",
  "container",
  "persistent-ttl",
  "persistent-sequential-ttl",
]);

const kinds: { readonly [kind in FieldKind]: (value: Json | undefined) => boolean } = {
  text: (value) => typeof value === "string",
  "text or null": (value) => typeof value === "string" || value === null,
  integer: (value) => Number.isSafeInteger(value),
  "a list of text": (value) => Array.isArray(value) && value.every((each) => typeof each === "string"),
  "a list of entries {permissions, scheme, id}": (value) => Array.isArray(value) && value.every(isAclEntry),
  "a list of operations": (value) => Array.isArray(value),
  "a create mode": (value) => value !== undefined && createModes.has(value),
};

function isAclEntry(value: Json): boolean {
  if (!isObject(value)) return false;
  const { permissions, scheme, id } = value;
  return Number.isSafeInteger(permissions) && typeof scheme === "string" && typeof id === "string";
}

/**
 * The operation of an invocation, of `sync+getData` the getData, once its value was found to have the fields that it
 * needs. Undefined where `f` is no operation of ZooKeeper. Throws InputError where a field is missing or of another kind.
 */
export function checkedOperation(event: Event): ZnodeRequest["op"] | undefined {
  const op = (isSynced(event.f) ? event.f.slice(synced.length) : event.f) as ZnodeRequest["op"];
  if (!Object.hasOwn(neededFields, op)) return undefined;
  const fields = objectOf(event);
  checkRequest(event, op, fields);
  if (op !== "multi") return op;
  for (const operation of fields["operations"] as readonly Json[]) {
    const sub = isObject(operation) ? operation : {};
    const subOp = sub["op"];
    if (typeof subOp !== "string" || !partsOfMulti.has(subOp))
      throw unusable(event, "every sub-operation of a multi to be a create, delete, setData or check");
    checkRequest(event, subOp as ZnodeRequest["op"], sub);
  }
  return op;
}

const partsOfMulti: ReadonlySet<string> = new Set(["create", "delete", "setData", "check"]);

function checkRequest(event: Event, op: ZnodeRequest["op"], fields: JsonObject): void {
  for (const [name, kind] of neededFields[op]) checkField(event, fields, name, kind);
  if (op !== "create") return;
  checkOptional(event, fields, "acl", "a list of entries {permissions, scheme, id}");
  checkOptional(event, fields, "ttlMs", "integer");
}

/**
 * Checks that what a server answered has the form that its operation's answers have. Throws InputError where it has not.
 */
export function checkAnswer(completion: Event, op: ZnodeRequest["op"]): void {
  const isOk = completion.type === "ok";
  if (!isOk && op !== "multi") return;
  const fields = objectOf(completion);
  if (op === "multi") {
    checkResults(completion, fields["results"], isOk);
    return;
  }
  if (op === "create") checkField(completion, fields, "path", "text");
  else if (op === "getData") checkOptional(completion, fields, "data", "text or null");
  else if (op === "getChildren") checkOptional(completion, fields, "children", "a list of text");
  if (fields["stat"] !== undefined && !isStat(fields["stat"])) throw unusable(completion, "stat to be whole");
}

function checkResults(event: Event, results: Json | undefined, needed: boolean): void {
  if (results === undefined && !needed) return;
  if (!Array.isArray(results)) throw unusable(event, "results to be a list");
  for (const result of results as readonly Json[]) {
    const fields = isObject(result) ? result : {};
    if (typeof fields["op"] !== "string") throw unusable(event, "every result of a multi to have its op");
    if (fields["op"] === "create") checkField(event, fields, "path", "text");
    else if (fields["op"] === "error") checkField(event, fields, "error", "text");
    const { stat } = fields;
    if (stat === undefined ? fields["op"] === "setData" : !isStat(stat))
      throw unusable(event, "stat in a result of the multi to be whole");
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An event's value as an object. Throws InputError where it is none. */
export function objectOf(event: Event): JsonObject {
  if (!isObject(event.value)) throw unusable(event, "its value to be an object with the request's fields");
  return event.value;
}

function checkOptional(event: Event, fields: JsonObject, name: string, kind: FieldKind): void {
  if (fields[name] !== undefined) checkField(event, fields, name, kind);
}

function checkField(event: Event, fields: JsonObject, name: string, kind: FieldKind): void {
  if (!kinds[kind](fields[name])) throw unusable(event, `${name} to be ${kind}`);
}

export function text(event: Event, fields: JsonObject, name: string): string {
  checkField(event, fields, name, "text");
  return fields[name] as string;
}

export function integer(event: Event, fields: JsonObject, name: string): number {
  checkField(event, fields, name, "integer");
  return fields[name] as number;
}

function unusable(event: Event, expected: string): InputError {
  return new InputError(
    `event ${event.index} (${event.type} ${event.f} of ${event.process}): expected ${expected}`,
    "the history is not one of znode operations; choose another --as",
  );
}
