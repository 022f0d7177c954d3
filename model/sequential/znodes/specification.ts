import type { Json, Stat } from "../../history.ts";
import type { Call, SequentialSpecification } from "../specification.ts";
import type { ZnodeAnswer, ZnodeRequest } from "./operations.ts";
import { RequestPreparation } from "./prepare.ts";
import { isWrite, type LocalRequest, ZnodeServer } from "./server.ts";
import { ZnodeTree } from "./tree.ts";

/** A tree as an immutable value: whoever steps from it copies it. */
export interface ZnodesState {
  readonly tree: ZnodeTree;
  /** Transactions applied; stands in for zxids, which this specification does not believe. */
  readonly transactions: number;
}

/**
 * The whole tree as a sequential specification, for searches that do not believe zxids. Calls are those of
 * history-form.ts; their argument is the request without `op` plus `session`, their result the answer's fields or
 * `{error}`. Compared are errors, data, children (as sets), created paths, and of each Stat what does not depend on
 * zxids and clocks: version, cversion, aversion, ephemeralOwner, dataLength, numChildren.
 *
 * Each step copies the tree: meant for small trees. `closeSession` removes the session's ephemeral nodes; sessions
 * are not tracked otherwise.
 */
export function znodes(initial: readonly Call[] = []): SequentialSpecification<ZnodesState> {
  let start: ZnodesState = { tree: new ZnodeTree(), transactions: 0 };
  for (const call of initial) start = step(start, { ...call, result: undefined })[0] ?? start;
  return {
    name: "znodes",
    initial: start,
    key: (state) => keyOf(state.tree),
    step,
    readOnly: (call) => !isWrite(requestOf(call)) || errorOf(call) !== undefined,
    describeState: (state) => [...state.tree.entries()].map(([path]) => path).join(" "),
  };
}

const known: ReadonlySet<string> = new Set<ZnodeRequest["op"]>([
  "create",
  "delete",
  "setData",
  "check",
  "exists",
  "getData",
  "getChildren",
  "getACL",
  "setACL",
  "sync",
  "multi",
  "closeSession",
]);

function step(state: ZnodesState, call: Call): readonly ZnodesState[] {
  const request = requestOf(call);
  const session = String(fieldsOf(call.argument)["session"] ?? "0x0");
  if (!known.has(request.op)) return [];
  if (!isWrite(request)) {
    if (call.result === undefined) return [state];
    const server = new ZnodeServer<string>({ deliver: () => {}, tree: state.tree });
    return agrees(server.answer(request as LocalRequest, session), call) ? [state] : [];
  }
  const zxid = state.transactions + 1;
  const tree = state.tree.copy();
  const header = { session, cxid: zxid, zxid, timeMs: 0 };
  const preparation = new RequestPreparation(tree, {
    checkSessions: false,
    extendedTypes: true,
    appliesAtOnce: true,
  });
  const answer = tree.apply(header, preparation.prepare(header, request));
  if (call.result !== undefined && !agrees(answer, call)) return [];
  return [answer.error === null ? { tree, transactions: zxid } : state];
}

/** Whether an answer says the same as the call's result, zxids and times aside. */
function agrees(answer: ZnodeAnswer, call: Call): boolean {
  const expected = fieldsOf(call.result ?? null);
  const error = errorOf(call);
  if (answer.error !== null || error !== undefined) return answer.error === (error ?? null);
  const { data, path, children, stat, results } = answer.result;
  if (expected["data"] !== undefined && data !== undefined && expected["data"] !== data) return false;
  if (call.f === "create" && expected["path"] !== undefined && expected["path"] !== path) return false;
  if (!sameMembers(children, expected["children"])) return false;
  if (!sameStat(stat, expected["stat"])) return false;
  if (results === undefined || !Array.isArray(expected["results"])) return true;
  const given = expected["results"] as readonly { readonly [key: string]: Json }[];
  return results.every((result, i) => {
    const other = given[i] ?? {};
    if (result.op !== other["op"]) return false;
    if (result.op === "create") return result.path === other["path"];
    return result.op !== "setData" || sameStat(result.stat, other["stat"]);
  });
}

function sameMembers(children: readonly string[] | undefined, expected: Json | undefined): boolean {
  if (children === undefined || !Array.isArray(expected)) return true;
  const given = expected as readonly Json[];
  return (
    given.length === children.length &&
    JSON.stringify([...given].sort()) === JSON.stringify([...children].sort())
  );
}

const timeless = ["version", "cversion", "aversion", "ephemeralOwner", "dataLength", "numChildren"] as const;

function sameStat(stat: Stat | undefined, expected: Json | undefined): boolean {
  if (stat === undefined || expected === undefined) return true;
  const given = fieldsOf(expected);
  return timeless.every((name) => given[name] === undefined || given[name] === stat[name]);
}

function keyOf(tree: ZnodeTree): string {
  const nodes = [...tree.entries()].map(([path, node]) => [
    path,
    node.data,
    node.version,
    node.creates,
    node.aversion,
    node.ephemeralOwner,
    node.acl,
  ]);
  return JSON.stringify(nodes.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)));
}

function requestOf(call: Call): ZnodeRequest {
  const op = call.f.startsWith("sync+") ? call.f.slice(5) : call.f;
  return { ...fieldsOf(call.argument), op } as unknown as ZnodeRequest;
}

function errorOf(call: Call): string | undefined {
  const error = fieldsOf(call.result ?? null)["error"];
  return typeof error === "string" ? error : undefined;
}

function fieldsOf(value: Json): { readonly [key: string]: Json } {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as { readonly [key: string]: Json }) : {};
}
