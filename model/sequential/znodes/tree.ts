import type { Stat, Zxid } from "../../history.ts";
import { openAcl, readAcl } from "./acl.ts";
import { nodeDigest } from "./digest.ts";
import type { Acl, ErrorCode, SubResult, ZnodeResult } from "./operations.ts";
import { nodeName, parentPath } from "./paths.ts";
import type {
  Applied,
  CreateBody,
  SubTransactionBody,
  TransactionBody,
  TransactionHeader,
} from "./transactions.ts";

export const noOwner = "0x0";
/** The ephemeralOwner of container nodes: Long.MIN_VALUE. */
export const containerOwner = "0x8000000000000000";

/** The ephemeralOwner of a TTL node: the high byte set, the time to live in the lower five bytes. */
export function ttlOwner(ttlMs: number): string {
  return `0xff${ttlMs.toString(16).padStart(14, "0")}`;
}

export type OwnerKind = "none" | "session" | "container" | "ttl";

export function ownerKind(ephemeralOwner: string): OwnerKind {
  if (ephemeralOwner === noOwner) return "none";
  if (ephemeralOwner === containerOwner) return "container";
  return ephemeralOwner.length === 18 && ephemeralOwner.startsWith("0xff0000") ? "ttl" : "session";
}

/** A node as the server keeps it. Mutable: only the tree changes it, readers take a Stat. */
export interface Znode {
  data: string | null;
  /** In bytes. */
  dataLength: number;
  acl: readonly Acl[];
  readonly czxid: Zxid;
  mzxid: Zxid;
  pzxid: Zxid;
  readonly ctime: number;
  mtime: number;
  version: number;
  /** How many children were ever created here. The Stat shows twice that less the present children. */
  creates: number;
  aversion: number;
  readonly ephemeralOwner: string;
  children: Set<string> | undefined;
  digest: number;
}

/** What a change of the tree tells, in the order in which ZooKeeper triggers watches. */
export interface TreeListener {
  created(path: string, parent: string, zxid: Zxid, acl: readonly Acl[], parentAcl: readonly Acl[]): void;
  deleted(path: string, parent: string, zxid: Zxid, acl: readonly Acl[], parentAcl: readonly Acl[]): void;
  dataChanged(path: string, zxid: Zxid, acl: readonly Acl[]): void;
}

export interface TreeOptions {
  readonly listener?: TreeListener;
  /** Keeps ZooKeeper's tree digest up to date, at the price of three CRCs a write. */
  readonly digests?: boolean;
  /** The text of /zookeeper/config. */
  readonly config?: string;
}

/** The owner that clients see: that of container and TTL nodes is hidden (DataNode.getClientEphemeralOwner). */
export function clientOwner(ephemeralOwner: string): string {
  return ownerKind(ephemeralOwner) === "session" ? ephemeralOwner : noOwner;
}

/** The cversion that clients see: creates and deletions of children, in 32 bits. */
export function cversionOf(creates: number, numChildren: number): number {
  return (creates * 2 - numChildren) | 0;
}

/** The Stat that clients see. */
export function statOf(node: Znode): Stat {
  const numChildren = node.children === undefined ? 0 : node.children.size;
  return {
    czxid: node.czxid,
    mzxid: node.mzxid,
    pzxid: node.pzxid,
    ctime: node.ctime,
    mtime: node.mtime,
    version: node.version,
    cversion: cversionOf(node.creates, numChildren),
    aversion: node.aversion,
    ephemeralOwner: clientOwner(node.ephemeralOwner),
    dataLength: node.dataLength,
    numChildren,
  };
}

/**
 * The tree of one server: ZooKeeper's DataTree as a deterministic state machine. `apply` takes transactions in zxid
 * order; two trees that applied the same ones are equal (`key`).
 *
 * Differs: quotas are not kept (the counters under /zookeeper/quota, which servers update without a transaction).
 */
export class ZnodeTree {
  #nodes = new Map<string, Znode>();
  #ephemerals = new Map<string, Set<string>>();
  #sessions = new Map<string, number>();
  #containers = new Set<string>();
  #ttls = new Set<string>();
  #lastZxid: Zxid = 0;
  #digest = 0;
  readonly #digests: boolean;
  #listener: TreeListener | undefined;

  constructor(options: TreeOptions = {}) {
    this.#digests = options.digests ?? false;
    this.#listener = options.listener;
    const root = this.#put("/", bareNode(""));
    this.#nodes.set("", root);
    const zookeeper = this.#put("/zookeeper", bareNode(""));
    root.children = new Set(["zookeeper"]);
    zookeeper.children = new Set(["quota", "config"]);
    this.#put("/zookeeper/quota", bareNode(""));
    const config = this.#put("/zookeeper/config", bareNode(options.config ?? ""));
    config.acl = readAcl;
    config.aversion = -1;
  }

  get lastProcessedZxid(): Zxid {
    return this.#lastZxid;
  }

  /** ZooKeeper's own digest of the tree (see digest.ts); only kept with `digests`. */
  get digest(): number {
    return this.#digest;
  }

  get size(): number {
    return this.#nodes.size - 1;
  }

  node(path: string): Readonly<Znode> | undefined {
    return this.#nodes.get(path);
  }

  /** Paths with their nodes, in no promised order. */
  *entries(): Generator<readonly [string, Readonly<Znode>]> {
    for (const entry of this.#nodes) if (entry[0] !== "") yield entry;
  }

  ephemeralsOf(session: string): ReadonlySet<string> {
    return this.#ephemerals.get(session) ?? emptyPaths;
  }

  /** The open sessions with their timeouts in ms (ZKDatabase's sessionsWithTimeouts, which snapshots hold, too). */
  get sessions(): ReadonlyMap<string, number> {
    return this.#sessions;
  }

  get containers(): ReadonlySet<string> {
    return this.#containers;
  }

  get ttls(): ReadonlySet<string> {
    return this.#ttls;
  }

  /** Applies the next transaction and answers as the server does (DataTree.processTxn). */
  apply(header: TransactionHeader, body: TransactionBody): Applied {
    const zxid = header.zxid;
    if (body.type === "multi") {
      const answer = this.#applyMulti(header, body.transactions);
      this.#advance(zxid);
      return answer;
    }
    const outcome = this.#applyOne(header, body);
    this.#advance(zxid);
    if (typeof outcome === "string") return { error: outcome, zxid };
    return { error: null, zxid, result: resultOf(body, outcome) };
  }

  /** Applies the next transaction, whose answer nobody wants. */
  applyUnasked(header: TransactionHeader, body: TransactionBody): void {
    if (body.type !== "multi") this.#applyOne(header, body);
    else if (body.transactions.every((part) => part.type !== "error"))
      for (const part of body.transactions) this.#applyOne(header, part);
    this.#advance(header.zxid);
  }

  /**
   * Makes a node what was seen of it, or takes it away: for replays of histories that begin in the middle, or go on
   * after a contradiction. Its parent need not exist, and nobody is told. Data is left as it is where `data` is undefined.
   */
  observe(path: string, stat: Stat | undefined, data: string | null | undefined): void {
    const old = this.#nodes.get(path);
    const parent = this.#nodes.get(parentPath(path));
    if (stat === undefined) {
      if (old === undefined) return;
      this.#nodes.delete(path);
      this.#unindex(path, old.ephemeralOwner);
      parent?.children?.delete(nodeName(path));
      return;
    }
    if (old !== undefined) this.#unindex(path, old.ephemeralOwner);
    const { czxid, mzxid, pzxid, ctime, mtime, version, aversion, dataLength } = stat;
    const hidden =
      stat.ephemeralOwner === noOwner && old !== undefined && ownerKind(old.ephemeralOwner) !== "session";
    const ephemeralOwner = hidden ? old.ephemeralOwner : stat.ephemeralOwner;
    const node: Znode = {
      data: data === undefined ? (old?.data ?? null) : data,
      dataLength,
      acl: old?.acl ?? openAcl,
      czxid,
      mzxid,
      pzxid,
      ctime,
      mtime,
      version,
      creates: (stat.cversion + stat.numChildren) >> 1,
      aversion,
      ephemeralOwner,
      children: old?.children,
      digest: 0,
    };
    this.#nodes.set(path, node);
    this.#index(path, ephemeralOwner);
    if (parent !== undefined && path !== "/") (parent.children ??= new Set()).add(nodeName(path));
  }

  /** A copy that shares nothing that changes, for a server synchronised by SNAP; the listener is the copy's own. */
  copy(listener?: TreeListener): ZnodeTree {
    const copy = new ZnodeTree({ digests: this.#digests, ...(listener === undefined ? {} : { listener }) });
    copy.#nodes = new Map();
    for (const [path, node] of this.#nodes) {
      if (path === "") continue;
      const children = node.children === undefined ? undefined : new Set(node.children);
      copy.#nodes.set(path, { ...node, children });
    }
    const root = copy.#nodes.get("/");
    if (root !== undefined) copy.#nodes.set("", root);
    copy.#ephemerals = new Map([...this.#ephemerals].map(([session, paths]) => [session, new Set(paths)]));
    copy.#sessions = new Map(this.#sessions);
    copy.#containers = new Set(this.#containers);
    copy.#ttls = new Set(this.#ttls);
    copy.#lastZxid = this.#lastZxid;
    copy.#digest = this.#digest;
    return copy;
  }

  /** A text that is equal for equal trees only: the sessions, and every node with data, ACL and Stat, in order of paths. */
  key(): string {
    const paths = [...this.#nodes.keys()].filter((path) => path !== "").sort();
    const nodes = paths.map((path) => {
      const node = this.#nodes.get(path);
      return node === undefined
        ? null
        : [path, node.data, node.acl, Object.values(statOf(node)), node.creates, node.ephemeralOwner];
    });
    return JSON.stringify([[...this.#sessions].sort(), nodes]);
  }

  #advance(zxid: Zxid): void {
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
  }

  /** The node that was created or written, if any, or why nothing was changed. */
  #applyOne(
    header: TransactionHeader,
    body: Exclude<TransactionBody, { type: "multi" }>,
  ): Znode | ErrorCode | undefined {
    switch (body.type) {
      case "create":
      case "createContainer":
      case "createTTL":
        return this.#create(header, body);
      case "delete":
      case "deleteContainer":
        return this.#delete(body.path, header.zxid) ? undefined : "NoNode";
      case "setData":
      case "reconfig":
        return this.#setData(header, body.path, body.data, body.version);
      case "setACL":
        return this.#setAcl(body.path, body.acl, body.version);
      case "closeSession":
        this.#closeSession(header, body.paths);
        return undefined;
      case "error":
        return body.error;
      case "createSession":
        this.#sessions.set(header.session, body.timeoutMs);
        return undefined;
      case "check":
        return undefined;
    }
  }

  #applyMulti(header: TransactionHeader, transactions: readonly SubTransactionBody[]): Applied {
    const culprit = transactions.find((body) => body.type === "error");
    if (culprit !== undefined && culprit.type === "error") {
      return { error: culprit.error, zxid: header.zxid, results: failedResults(transactions) };
    }
    const results: SubResult[] = [];
    let error: ErrorCode | null = null;
    for (const body of transactions) {
      const outcome = this.#applyOne(header, body);
      if (typeof outcome === "string") error ??= outcome;
      results.push(subResult(body, outcome));
    }
    if (error !== null) return { error, zxid: header.zxid, results };
    return { error: null, zxid: header.zxid, result: { results } };
  }

  #create(header: TransactionHeader, body: CreateBody): Znode | ErrorCode {
    const { path } = body;
    const zxid = header.zxid;
    const slash = path.lastIndexOf("/");
    const parentName = slash <= 0 ? "/" : path.slice(0, slash);
    const parent = this.#nodes.get(parentName);
    if (parent === undefined) return "NoNode";
    if (this.#nodes.has(path)) {
      // Only while a log is replayed over a fuzzy snapshot, which may hold the node already.
      if (body.parentCversion > parent.creates)
        this.#countCreate(parentName, parent, body.parentCversion, zxid);
      return "NodeExists";
    }
    const creates = body.parentCversion === -1 ? (parent.creates + 1) | 0 : body.parentCversion;
    if (creates > parent.creates) this.#countCreate(parentName, parent, creates, zxid);
    (parent.children ??= new Set()).add(path.slice(slash + 1));
    const owner = ownerOf(header.session, body);
    const node = this.#put(path, newNode(body, owner, zxid, header.timeMs));
    this.#index(path, owner);
    this.#listener?.created(path, parentName, zxid, body.acl, parent.acl);
    return node;
  }

  #countCreate(parentName: string, parent: Znode, creates: number, zxid: Zxid): void {
    parent.creates = creates;
    parent.pzxid = zxid;
    this.#digested(parentName, parent);
  }

  #delete(path: string, zxid: Zxid): boolean {
    const slash = path.lastIndexOf("/");
    const parentName = slash <= 0 ? "/" : path.slice(0, slash);
    const parent = this.#nodes.get(parentName);
    if (parent === undefined) return false;
    parent.children?.delete(path.slice(slash + 1));
    if (zxid > parent.pzxid) {
      parent.pzxid = zxid;
      this.#digested(parentName, parent);
    }
    const node = this.#nodes.get(path);
    if (node === undefined) return false;
    this.#nodes.delete(path);
    this.#digest -= node.digest;
    this.#unindex(path, node.ephemeralOwner);
    this.#listener?.deleted(path, parentName, zxid, node.acl, parent.acl);
    return true;
  }

  #setData(header: TransactionHeader, path: string, data: string | null, version: number): Znode | ErrorCode {
    const node = this.#nodes.get(path);
    if (node === undefined) return "NoNode";
    node.data = data;
    node.dataLength = byteLength(data);
    node.mtime = header.timeMs;
    node.mzxid = header.zxid;
    node.version = version;
    this.#digested(path, node);
    this.#listener?.dataChanged(path, header.zxid, node.acl);
    return node;
  }

  #setAcl(path: string, acl: readonly Acl[], version: number): Znode | ErrorCode {
    const node = this.#nodes.get(path);
    if (node === undefined) return "NoNode";
    node.aversion = version;
    node.acl = acl;
    this.#digested(path, node);
    return node;
  }

  #closeSession(header: TransactionHeader, paths: readonly string[] | null): void {
    this.#sessions.delete(header.session);
    const own = this.#ephemerals.get(header.session);
    this.#ephemerals.delete(header.session);
    for (const path of paths ?? []) {
      this.#delete(path, header.zxid);
      own?.delete(path);
    }
    for (const path of own ?? []) this.#delete(path, header.zxid);
  }

  #put(path: string, node: Znode): Znode {
    this.#nodes.set(path, node);
    this.#digested(path, node);
    return node;
  }

  #digested(path: string, node: Znode): void {
    if (!this.#digests) return;
    const digest = nodeDigest(path, node);
    this.#digest += digest - node.digest;
    node.digest = digest;
  }

  #index(path: string, owner: string): void {
    if (owner === noOwner) return;
    const kind = ownerKind(owner);
    if (kind === "container") this.#containers.add(path);
    else if (kind === "ttl") this.#ttls.add(path);
    else {
      const paths = this.#ephemerals.get(owner);
      if (paths === undefined) this.#ephemerals.set(owner, new Set([path]));
      else paths.add(path);
    }
  }

  #unindex(path: string, owner: string): void {
    if (owner === noOwner) return;
    const kind = ownerKind(owner);
    if (kind === "container") this.#containers.delete(path);
    else if (kind === "ttl") this.#ttls.delete(path);
    else {
      const paths = this.#ephemerals.get(owner);
      paths?.delete(path);
      if (paths?.size === 0) this.#ephemerals.delete(owner);
    }
  }
}

const nothing: ZnodeResult = {};
const emptyPaths: ReadonlySet<string> = new Set();

function bareNode(data: string): Znode {
  return {
    data,
    dataLength: byteLength(data),
    acl: openAcl,
    czxid: 0,
    mzxid: 0,
    pzxid: 0,
    ctime: 0,
    mtime: 0,
    version: 0,
    creates: 0,
    aversion: 0,
    ephemeralOwner: noOwner,
    children: undefined,
    digest: 0,
  };
}

function newNode(body: CreateBody, ephemeralOwner: string, zxid: Zxid, timeMs: number): Znode {
  return {
    data: body.data,
    dataLength: byteLength(body.data),
    acl: body.acl,
    czxid: zxid,
    mzxid: zxid,
    pzxid: zxid,
    ctime: timeMs,
    mtime: timeMs,
    version: 0,
    creates: 0,
    aversion: 0,
    ephemeralOwner,
    children: undefined,
    digest: 0,
  };
}

function ownerOf(session: string, body: CreateBody): string {
  if (body.type === "createContainer") return containerOwner;
  if (body.type === "createTTL") return ttlOwner(body.ttlMs ?? 0);
  return body.ephemeral ? session : noOwner;
}

/** Of a failed multi: what stood before the culprit is "ok", what stood after it RuntimeInconsistency. */
function failedResults(transactions: readonly SubTransactionBody[]): SubResult[] {
  let failed = false;
  return transactions.map((body): SubResult => {
    if (body.type === "error") {
      failed = true;
      return { op: "error", error: body.error };
    }
    return { op: "error", error: failed ? "RuntimeInconsistency" : "ok" };
  });
}

function resultOf(body: TransactionBody, node: Znode | undefined): ZnodeResult {
  if (node === undefined) return nothing;
  const stat = statOf(node);
  return "parentCversion" in body ? { path: body.path, stat } : { stat };
}

function subResult(body: SubTransactionBody, outcome: Znode | ErrorCode | undefined): SubResult {
  if (typeof outcome === "string") return { op: "error", error: outcome };
  if (outcome === undefined) return body.type === "check" ? { op: "check" } : { op: "delete" };
  const stat = statOf(outcome);
  return "parentCversion" in body ? { op: "create", path: body.path, stat } : { op: "setData", stat };
}

/** The number of bytes of the text in UTF-8; 0 for null. */
export function byteLength(text: string | null): number {
  if (text === null) return 0;
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // Each half of a surrogate pair counts two of its four bytes; a lone half becomes U+FFFD, three bytes.
    if (unit < 0x800) bytes += 1;
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) {
      bytes += 2;
      i++;
    } else bytes += 2;
  }
  return bytes;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
