import type { ZnodeRequest } from "../../../model/index.ts";

type Op = ZnodeRequest["op"];

/** What all operations of one name have in common. */
export interface OperationKind {
  readonly op: Op;
  /** The name in a history: "getData", or "sync+getData" for a read that is preceded by a sync. */
  readonly f: string;
  readonly isComposite: boolean;
  readonly isWrite: boolean;
  /** Whether it reads a node, or a node's children. */
  readonly readsTree: boolean;
  /**
   * Whether a step tells the request whole by path, data, version, mode and watch; of a create only if it has neither
   * `acl` nor `ttlMs`.
   */
  readonly isPlain: boolean;
}

const plain: readonly Op[] = ["check", "getACL", "sync", "delete", "setData", "create"];
const reads: readonly Op[] = ["exists", "getData", "getChildren"];
const writes: ReadonlySet<Op> = new Set<Op>([
  "create",
  "delete",
  "setData",
  "check",
  "setACL",
  "multi",
  "reconfig",
  "closeSession",
]);
const others: readonly Op[] = [
  "setACL",
  "multi",
  "addWatch",
  "removeWatches",
  "setWatches",
  "addAuth",
  "reconfig",
  "closeSession",
];

const byName = new Map<string, OperationKind>();
for (const op of [...plain, ...reads, ...others]) {
  const readsTree = reads.includes(op);
  const isPlain = readsTree || plain.includes(op);
  const kind = { op, isWrite: writes.has(op), readsTree, isPlain };
  byName.set(op, { ...kind, f: op, isComposite: false });
  byName.set(`sync+${op}`, { ...kind, f: `sync+${op}`, isComposite: true });
}

/** Undefined for what is no operation of ZooKeeper. */
export function kindNamed(f: string): OperationKind | undefined {
  return byName.get(f);
}
