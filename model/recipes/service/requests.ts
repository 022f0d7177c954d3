/** What a recipe's client asks a server, and what it is told: the words of ZooKeeper's client API that recipes need. */

export type CreateRequest = {
  readonly op: "create";
  /** Ten digits are appended where it is sequential. */
  readonly path: string;
  readonly data: string;
  readonly ephemeral: boolean;
  readonly sequential: boolean;
};
/** Version -1 fits any. */
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

export type CheckRequest = { readonly op: "check"; readonly path: string; readonly version: number };

/** All or nothing. */
export type MultiRequest = {
  readonly op: "multi";
  readonly operations: readonly (WriteRequest | CheckRequest)[];
};

export type RecipeRequest = WriteRequest | ReadRequest | MultiRequest;

export type RecipeError = "NoNode" | "NodeExists" | "BadVersion" | "NotEmpty";

/** What a server answers. An error is definite: the request had no effect. */
export type RecipeAnswer = { readonly error: RecipeError } | RecipeResult;

/**
 * A successful answer. It tells what ZooKeeper's tells for the operation, the rest is empty:
 * `path` (the one really created) of create; `version` and `czxid` (from the Stat) of exists, getData and setData;
 * `data` of getData; `children` (names without their parent, in no order that is promised) of getChildren.
 */
export type RecipeResult = {
  readonly error: null;
  readonly path: string;
  readonly data: string;
  /** -1 where none is told. */
  readonly version: number;
  /** 0 where none is told. */
  readonly czxid: number;
  readonly children: readonly string[];
};

/** The answer that tells nothing but success. */
export const done: RecipeResult = { error: null, path: "", data: "", version: -1, czxid: 0, children: [] };

export type RecipeWatchEvent = {
  readonly type: "NodeCreated" | "NodeDeleted" | "NodeDataChanged" | "NodeChildrenChanged";
  readonly path: string;
};

export function isRead(request: RecipeRequest): request is ReadRequest {
  return request.op === "exists" || request.op === "getData" || request.op === "getChildren";
}

/** create("/lock/n-", "", ephemeral sequential) */
export function requestWords(request: RecipeRequest | CheckRequest): string {
  const quoted = JSON.stringify;
  switch (request.op) {
    case "create": {
      const mode = `${request.ephemeral ? "ephemeral" : "persistent"}${request.sequential ? " sequential" : ""}`;
      return `create(${quoted(request.path)}, ${quoted(request.data)}, ${mode})`;
    }
    case "delete":
    case "check":
      return `${request.op}(${quoted(request.path)}${versionWords(request.version)})`;
    case "setData":
      return `setData(${quoted(request.path)}, ${quoted(request.data)}${versionWords(request.version)})`;
    case "multi":
      return `multi(${request.operations.map(requestWords).join("; ")})`;
    default:
      return `${request.sync ? "sync and " : ""}${request.op}(${quoted(request.path)}${request.watch ? ", watch" : ""})`;
  }
}

/** What an answer tells: the path created, the children, the data with its version, the Stat, or the error. */
export function answerWords(request: RecipeRequest, answer: RecipeAnswer): string {
  if (answer.error !== null) return answer.error;
  switch (request.op) {
    case "create":
      return JSON.stringify(answer.path);
    case "getChildren":
      return `[${answer.children.map((child) => JSON.stringify(child)).join(", ")}]`;
    case "getData":
      return `${JSON.stringify(answer.data)} in version ${answer.version}`;
    case "exists":
      return `it exists, czxid ${answer.czxid}`;
    case "setData":
      return `version ${answer.version}`;
    default:
      return "ok";
  }
}

function versionWords(version: number): string {
  return version === -1 ? "" : `, version ${version}`;
}
