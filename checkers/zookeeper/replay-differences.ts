import {
  childPath,
  clientOwner,
  cversionOf,
  type ErrorCode,
  type Stat,
  type SubRequest,
  type TransactionBody,
  type WriteRequest,
  type Znode,
} from "../../model/index.ts";
import type { Step } from "./history/steps.ts";

/** Where an answer to a write is not the transaction that the replay prepares. */
export interface Difference {
  readonly request: SubRequest | { readonly op: "setACL"; readonly path: string; readonly version: number };
  readonly path: string;
  readonly predicted: ErrorCode | undefined;
  readonly actual: ErrorCode | undefined;
  /** The version that the answer shows, where it is another than predicted. */
  readonly version?: number;
  /** The path that a sequential create answered. */
  readonly created?: string;
  readonly expected: string;
  readonly found: string;
}

/** Where an answer to a read is not what the tree shows. */
export interface ReadDifference {
  readonly path: string;
  readonly kind: "missing" | "extra" | "node" | "data" | "children" | "acl";
  readonly expected: string;
  readonly found: string;
}

/** Of a node of which nothing is known but that it was there. */
export const unknownStat: Stat = {
  czxid: -2,
  mzxid: -2,
  pzxid: -2,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: "0x0",
  dataLength: 0,
  numChildren: 0,
};

/** Undefined where the prepared transaction is the one that was answered. */
export function differenceOf(
  step: Step,
  request: WriteRequest,
  body: TransactionBody,
): Difference | undefined {
  if (request.op === "multi") return multiDifference(step, request.operations, body);
  if (request.op === "reconfig" || request.op === "closeSession") return undefined;
  const predicted = body.type === "error" ? body.error : undefined;
  const shared = { request, path: request.path, predicted, actual: step.error };
  if (predicted !== step.error)
    return { ...shared, expected: predicted ?? "ok", found: step.error ?? describe(step) };
  if (predicted !== undefined) return undefined;
  const created = step.outcome === "ok" ? step.created : undefined;
  if ("parentCversion" in body && typeof created === "string" && created !== body.path) {
    return { ...shared, created, expected: body.path, found: created };
  }
  const { stat } = step;
  if (body.type === "setData" && stat !== undefined && stat.version !== body.version) {
    return {
      ...shared,
      version: stat.version,
      expected: `version ${body.version}`,
      found: `version ${stat.version}`,
    };
  }
  return undefined;
}

function multiDifference(
  step: Step,
  operations: readonly SubRequest[],
  body: TransactionBody,
): Difference | undefined {
  if (body.type !== "multi") return undefined;
  const { results } = step;
  for (let i = 0; i < operations.length; i++) {
    const request = operations[i] as SubRequest;
    const sub = body.transactions[i];
    const result = results?.[i];
    const predicted = sub?.type === "error" ? sub.error : undefined;
    const answered = result?.op === "error" && result.error !== "ok" ? result.error : undefined;
    const culprit =
      results === undefined && step.error !== undefined && predicted !== undefined ? step.error : answered;
    const shared = { request, path: request.path, predicted, actual: culprit };
    const name = `${request.op} ${request.path} in the multi`;
    if (predicted !== culprit) {
      return { ...shared, expected: `${name}: ${predicted ?? "ok"}`, found: culprit ?? "ok" };
    }
    if (predicted !== undefined) return undefined;
    if (result?.op === "create" && sub !== undefined && "path" in sub && sub.path !== result.path) {
      return { ...shared, created: result.path, expected: `${name}: ${sub.path}`, found: result.path };
    }
    if (result?.op === "setData" && sub?.type === "setData" && sub.version !== result.stat.version) {
      const { version } = result.stat;
      return { ...shared, version, expected: `${name}: version ${sub.version}`, found: `version ${version}` };
    }
  }
  return undefined;
}

type Told = { readonly expected: string; readonly found: string };

/** Whether the node has what the Stat shows of it, its children aside: the common case, without making a Stat of it. */
export function showsNode(node: Readonly<Znode>, seen: Stat): boolean {
  return (
    node.mzxid === seen.mzxid &&
    node.version === seen.version &&
    node.czxid === seen.czxid &&
    node.aversion === seen.aversion &&
    node.dataLength === seen.dataLength &&
    (node.ephemeralOwner === seen.ephemeralOwner || clientOwner(node.ephemeralOwner) === seen.ephemeralOwner)
  );
}

/** The same for its children. */
export function showsChildren(node: Readonly<Znode>, seen: Stat): boolean {
  const count = node.children === undefined ? 0 : node.children.size;
  return (
    node.pzxid === seen.pzxid &&
    count === seen.numChildren &&
    cversionOf(node.creates, count) === seen.cversion
  );
}

const nodeFields = ["czxid", "mzxid", "version", "aversion", "ephemeralOwner", "dataLength"] as const;
const childrenFields = ["numChildren", "cversion", "pzxid"] as const;

export function nodeDifference(own: Stat, seen: Stat): Told | undefined {
  return fieldDifference(own, seen, nodeFields);
}

export function childrenDifference(own: Stat, seen: Stat): Told | undefined {
  return fieldDifference(own, seen, childrenFields);
}

function fieldDifference(own: Stat, seen: Stat, fields: readonly (keyof Stat)[]): Told | undefined {
  for (const field of fields) {
    if (own[field] === seen[field]) continue;
    // A write worked in without its zxid has none to compare.
    if (typeof own[field] === "number" && !Number.isInteger(own[field])) continue;
    return { expected: `${field} ${showField(own[field])}`, found: `${field} ${showField(seen[field])}` };
  }
  return undefined;
}

/** Where a list of children is not that of the node. */
export function listDifference(
  node: Readonly<Znode>,
  path: string,
  names: readonly string[],
): ReadDifference | undefined {
  const own = node.children;
  if (own !== undefined && listsInOrder(own, names)) return undefined;
  const listed = new Set(names);
  if (listed.size < names.length)
    return { path, kind: "children", expected: "each child once", found: names.join(" ") };
  if (
    own === undefined ? listed.size === 0 : own.size === listed.size && names.every((name) => own.has(name))
  )
    return undefined;
  for (const name of names) {
    if (own?.has(name) === true) continue;
    const child = childPath(path, name);
    return { path: child, kind: "extra", expected: `no ${child}`, found: `${child} among the children` };
  }
  for (const name of own ?? []) {
    if (listed.has(name)) continue;
    const child = childPath(path, name);
    return { path: child, kind: "missing", expected: `${child} among the children`, found: `no ${child}` };
  }
  return undefined;
}

/** Whether the names are those of the children, in the order in which these were created: what needs no set to compare. */
function listsInOrder(children: ReadonlySet<string>, names: readonly string[]): boolean {
  if (children.size !== names.length) return false;
  let at = 0;
  for (const child of children) if (child !== names[at++]) return false;
  return true;
}

function showField(value: number | string): string {
  return typeof value === "number" && value >= 2 ** 32 ? `0x${value.toString(16)}` : String(value);
}

export function describe(step: Step): string {
  const { stat } = step;
  const data = step.op === "getData" ? ` ${JSON.stringify(step.data ?? null)}` : "";
  return `ok${data}${stat === undefined ? "" : ` in version ${stat.version}`}`;
}
