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

/** Znodes in the order of their paths. */
export type Tree = { readonly zxid: number; readonly nodes: readonly Znode[] };

export type CreateRequest = {
  readonly op: "create";
  /** Ten digits are appended where it is sequential. */
  readonly path: string;
  readonly data: string;
  readonly ephemeral: boolean;
  readonly sequential: boolean;
};
export type WriteRequest =
  | CreateRequest
  | { readonly op: "delete"; readonly path: string; readonly version: number }
  | { readonly op: "setData"; readonly path: string; readonly data: string; readonly version: number };

export type ReadRequest = {
  readonly op: "exists" | "getData" | "getChildren";
  readonly path: string;
  readonly watch: boolean;
  /** Preceded by a sync on the same connection. */
  readonly sync: boolean;
};

export type Request =
  | WriteRequest
  | ReadRequest
  | { readonly op: "multi"; readonly operations: readonly (WriteRequest | Check)[] };

export type Check = { readonly op: "check"; readonly path: string; readonly version: number };

export type RecipeError = "NoNode" | "NodeExists" | "BadVersion" | "NotEmpty";

/** `path` is the one created; `children` are names without their parent, in the order of the names. */
export type Answer =
  | { readonly error: RecipeError }
  | {
      readonly error: null;
      readonly path: string;
      readonly data: string;
      readonly version: number;
      readonly czxid: number;
      readonly children: readonly string[];
    };

/** One change of a transaction, with everything decided. */
export type Change =
  | { readonly op: "create"; readonly node: Znode }
  | { readonly op: "delete"; readonly path: string }
  | { readonly op: "setData"; readonly path: string; readonly data: string; readonly version: number };

/** What happens in one step: a request's changes, or all that the end of a session removes. */
export type Transaction = readonly Change[];

export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

export function find(tree: Tree, path: string): Znode | undefined {
  return tree.nodes.find((node) => node.path === path);
}

export function childrenOf(tree: Tree, path: string): readonly string[] {
  return tree.nodes
    .filter((node) => node.path !== path && parentOf(node.path) === path)
    .map((node) => node.path.slice(path.length + 1));
}

/** A tree of persistent znodes without data. */
export function treeOf(...paths: readonly string[]): Tree {
  const nodes = paths
    .toSorted()
    .map((path) => ({ path, data: "", version: 0, owner: "", czxid: 0, created: 0 }));
  return { zxid: 0, nodes };
}

/** What a write becomes against this tree: a transaction and its answer, or an error without any effect. */
export function prepare(
  tree: Tree,
  request: WriteRequest | Check,
  session: string,
): { readonly transaction: Transaction; readonly answer: Answer } {
  switch (request.op) {
    case "create":
      return prepareCreate(tree, request, session);
    case "delete": {
      const node = find(tree, request.path);
      if (node === undefined) return refused("NoNode");
      if (request.version !== -1 && request.version !== node.version) return refused("BadVersion");
      if (childrenOf(tree, node.path).length > 0) return refused("NotEmpty");
      return { transaction: [{ op: "delete", path: node.path }], answer: answerOf(node) };
    }
    case "setData": {
      const node = find(tree, request.path);
      if (node === undefined) return refused("NoNode");
      if (request.version !== -1 && request.version !== node.version) return refused("BadVersion");
      const version = node.version + 1;
      return {
        transaction: [{ op: "setData", path: node.path, data: request.data, version }],
        answer: answerOf({ ...node, data: request.data, version }),
      };
    }
    case "check": {
      const node = find(tree, request.path);
      if (node === undefined) return refused("NoNode");
      if (request.version !== -1 && request.version !== node.version) return refused("BadVersion");
      return { transaction: [], answer: answerOf(node) };
    }
  }
}

/** All or nothing: the first operation that fails decides the answer. */
export function prepareMulti(
  tree: Tree,
  operations: readonly (WriteRequest | Check)[],
  session: string,
): { readonly transaction: Transaction; readonly answer: Answer } {
  let after = tree;
  const changes: Change[] = [];
  let last: Answer = { error: "NoNode" };
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
): { readonly transaction: Transaction; readonly answer: Answer } {
  const parent = find(tree, parentOf(request.path));
  if (parent === undefined) return refused("NoNode");
  const suffix = request.sequential ? String(parent.created).padStart(10, "0") : "";
  const path = request.path + suffix;
  if (find(tree, path) !== undefined) return refused("NodeExists");
  const owner = request.ephemeral ? session : "";
  const node: Znode = { path, data: request.data, version: 0, owner, czxid: tree.zxid + 1, created: 0 };
  return { transaction: [{ op: "create", node }], answer: answerOf(node) };
}

function refused(error: RecipeError): { readonly transaction: Transaction; readonly answer: Answer } {
  return { transaction: [], answer: { error } };
}

function answerOf(node: Znode, children: readonly string[] = []): Answer {
  return {
    error: null,
    path: node.path,
    data: node.data,
    version: node.version,
    czxid: node.czxid,
    children,
  };
}

/** What a read sees in this tree. */
export function read(tree: Tree, request: ReadRequest): Answer {
  const node = find(tree, request.path);
  if (node === undefined) return { error: "NoNode" };
  return answerOf(node, request.op === "getChildren" ? childrenOf(tree, node.path) : []);
}

export function apply(tree: Tree, transaction: Transaction): Tree {
  return transaction.reduce(applyChange, tree);
}

function applyChange(tree: Tree, change: Change): Tree {
  switch (change.op) {
    case "create": {
      const parent = parentOf(change.node.path);
      const others = tree.nodes.map((node) =>
        node.path === parent ? { ...node, created: node.created + 1 } : node,
      );
      const nodes = [...others, change.node].toSorted((a, b) => (a.path < b.path ? -1 : 1));
      return { zxid: change.node.czxid, nodes };
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
