import { nodeName, parentPath, sequenceSuffix } from "../../sequential/index.ts";
import {
  done,
  type CheckRequest,
  type CreateRequest,
  type ReadRequest,
  type RecipeAnswer,
  type RecipeError,
  type WriteRequest,
} from "./requests.ts";

/**
 * The smallest tree of znodes that the recipes need, as an immutable value.
 *
 * Differs from model/sequential/znodes: no ACLs, no Stat but version, owner and czxid; a zxid is taken by creations
 * alone (czxids are compared, other zxids never looked at), which merges states that differ by nothing else. A test
 * drives both with the same operations.
 */

/** A znode. `owner` names the session of an ephemeral one, "" otherwise. `created` counts children ever created. */
export type Znode = {
  readonly path: string;
  readonly data: string;
  readonly version: number;
  readonly owner: string;
  readonly czxid: number;
  readonly created: number;
};

/**
 * Znodes in the order of their creation, which is the same whatever clients are named; `zxid` null: without czxids, in
 * the order of their paths, for recipes that look at neither.
 */
export type Tree = { readonly zxid: number | null; readonly nodes: readonly Znode[] };

/** One change of a transaction, with everything decided. */
export type Change =
  | { readonly op: "create"; readonly node: Znode }
  | { readonly op: "delete"; readonly path: string }
  | { readonly op: "setData"; readonly path: string; readonly data: string; readonly version: number };

/** What happens in one step: a request's changes, or all that the end of a session removes. */
export type Transaction = readonly Change[];

export function find(tree: Tree, path: string): Znode | undefined {
  return tree.nodes.find((node) => node.path === path);
}

export function childrenOf(tree: Tree, path: string): readonly string[] {
  return tree.nodes
    .filter((node) => node.path !== path && parentPath(node.path) === path)
    .map((node) => nodeName(node.path));
}

/** A tree of persistent znodes without data. */
export function treeOf(...paths: readonly string[]): Tree {
  const nodes = paths
    .toSorted()
    .map((path) => ({ path, data: "", version: 0, owner: "", czxid: 0, created: 0 }));
  return { zxid: 0, nodes };
}

/** The same for a recipe that looks neither at czxids nor at the order of creations, and whose clients are not symmetric. */
export function unnumberedTreeOf(...paths: readonly string[]): Tree {
  return { ...treeOf(...paths), zxid: null };
}

/** What a write becomes against this tree: a transaction and its answer, or an error without any effect. */
export function prepare(
  tree: Tree,
  request: WriteRequest | CheckRequest,
  session: string,
): { readonly transaction: Transaction; readonly answer: RecipeAnswer } {
  switch (request.op) {
    case "create":
      return prepareCreate(tree, request, session);
    case "delete": {
      const node = find(tree, request.path);
      if (node === undefined) return refused("NoNode");
      if (request.version !== -1 && request.version !== node.version) return refused("BadVersion");
      if (childrenOf(tree, node.path).length > 0) return refused("NotEmpty");
      return { transaction: [{ op: "delete", path: node.path }], answer: done };
    }
    case "setData": {
      const node = find(tree, request.path);
      if (node === undefined) return refused("NoNode");
      if (request.version !== -1 && request.version !== node.version) return refused("BadVersion");
      const version = node.version + 1;
      return {
        transaction: [{ op: "setData", path: node.path, data: request.data, version }],
        answer: { ...done, version, czxid: node.czxid },
      };
    }
    case "check": {
      const node = find(tree, request.path);
      if (node === undefined) return refused("NoNode");
      if (request.version !== -1 && request.version !== node.version) return refused("BadVersion");
      return { transaction: [], answer: done };
    }
  }
}

/** All or nothing: the first operation that fails decides the answer. */
export function prepareMulti(
  tree: Tree,
  operations: readonly (WriteRequest | CheckRequest)[],
  session: string,
): { readonly transaction: Transaction; readonly answer: RecipeAnswer } {
  let after = tree;
  const changes: Change[] = [];
  let last: RecipeAnswer = { error: "NoNode" };
  for (const operation of operations) {
    const { transaction, answer } = prepare(after, operation, session);
    if (answer.error !== null) return refused(answer.error);
    after = apply(after, transaction);
    changes.push(...transaction);
    last = answer;
  }
  return { transaction: changes, answer: last };
}

function prepareCreate(
  tree: Tree,
  request: CreateRequest,
  session: string,
): { readonly transaction: Transaction; readonly answer: RecipeAnswer } {
  const parent = find(tree, parentPath(request.path));
  if (parent === undefined) return refused("NoNode");
  const suffix = request.sequential ? sequenceSuffix(parent.created) : "";
  const path = request.path + suffix;
  if (find(tree, path) !== undefined) return refused("NodeExists");
  const owner = request.ephemeral ? session : "";
  const czxid = tree.zxid === null ? 0 : tree.zxid + 1;
  const node: Znode = { path, data: request.data, version: 0, owner, czxid, created: 0 };
  return { transaction: [{ op: "create", node }], answer: { ...done, path } };
}

function refused(error: RecipeError): { readonly transaction: Transaction; readonly answer: RecipeAnswer } {
  return { transaction: [], answer: { error } };
}

/** What a read sees in this tree. */
export function read(tree: Tree, request: ReadRequest): RecipeAnswer {
  const node = find(tree, request.path);
  if (node === undefined) return { error: "NoNode" };
  if (request.op === "getChildren") return { ...done, children: childrenOf(tree, node.path) };
  const { version, czxid } = node;
  return { ...done, version, czxid, data: request.op === "getData" ? node.data : "" };
}

export function apply(tree: Tree, transaction: Transaction): Tree {
  return transaction.reduce(applyChange, tree);
}

function applyChange(tree: Tree, change: Change): Tree {
  switch (change.op) {
    case "create": {
      const parent = parentPath(change.node.path);
      const others = tree.nodes.map((node) =>
        node.path === parent ? { ...node, created: node.created + 1 } : node,
      );
      const nodes = [...others, change.node];
      if (tree.zxid !== null) return { zxid: change.node.czxid, nodes };
      return { zxid: null, nodes: nodes.toSorted((a, b) => (a.path < b.path ? -1 : 1)) };
    }
    case "delete":
      return { ...tree, nodes: tree.nodes.filter((node) => node.path !== change.path) };
    case "setData":
      return {
        ...tree,
        nodes: tree.nodes.map((node) =>
          node.path === change.path ? { ...node, data: change.data, version: change.version } : node,
        ),
      };
  }
}

/** What the end of a session removes: all its ephemeral znodes, in one transaction. */
export function endOfSession(tree: Tree, session: string): Transaction {
  return tree.nodes
    .filter((node) => node.owner === session)
    .map((node) => ({ op: "delete", path: node.path }));
}
