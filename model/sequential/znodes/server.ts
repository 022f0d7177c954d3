import type { Zxid } from "../../history.ts";
import { type AuthId, digestIdentity, isPermitted, maskedAcl, permission } from "./acl.ts";
import type { Acl, WatchEvent, WatcherKind, ZnodeAnswer, ZnodeRequest } from "./operations.ts";
import type { WriteRequest } from "./prepare.ts";
import { latestFeatures, type ServerFeatures } from "./server-version.ts";
import type { Applied, TransactionBody, TransactionHeader } from "./transactions.ts";
import { statOf, type TreeListener, type Znode, ZnodeTree } from "./tree.ts";
import { watchMode, WatchManager } from "./watches.ts";

/** What a server answers from its own tree, without a transaction. */
export type LocalRequest = Exclude<ZnodeRequest, WriteRequest>;

export interface ZnodeServerOptions<Watcher> {
  readonly features?: ServerFeatures;
  /** Called for each event, before `apply` or `answer` returns. */
  readonly deliver: (watcher: Watcher, event: WatchEvent) => void;
  /** The identities of a connection; none if absent. */
  readonly identities?: (watcher: Watcher) => readonly AuthId[];
  readonly tree?: ZnodeTree;
}

export function isWrite(request: ZnodeRequest): request is WriteRequest {
  switch (request.op) {
    case "create":
    case "delete":
    case "setData":
    case "check":
    case "setACL":
    case "multi":
    case "reconfig":
    case "closeSession":
      return true;
    default:
      return false;
  }
}

/**
 * One server above the log: its tree and its watches, as FinalRequestProcessor and DataTree use them. A `Watcher` is
 * a connection, and must be told gone by `disconnect`.
 */
export class ZnodeServer<Watcher> implements TreeListener {
  readonly features: ServerFeatures;
  #tree: ZnodeTree;
  readonly #dataWatches: WatchManager<Watcher>;
  readonly #childWatches: WatchManager<Watcher>;
  readonly #deliver: (watcher: Watcher, event: WatchEvent) => void;
  readonly #identities: (watcher: Watcher) => readonly AuthId[];

  constructor(options: ZnodeServerOptions<Watcher>) {
    this.features = options.features ?? latestFeatures;
    this.#deliver = options.deliver;
    this.#identities = options.identities ?? (() => []);
    this.#dataWatches = new WatchManager(this.features);
    this.#childWatches = new WatchManager(this.features);
    this.#tree = options.tree === undefined ? new ZnodeTree({ listener: this }) : options.tree.copy(this);
  }

  get tree(): ZnodeTree {
    return this.#tree;
  }

  /** How many (path, watcher) pairs are watched. */
  get watchCount(): number {
    return this.#dataWatches.size + this.#childWatches.size;
  }

  apply(header: TransactionHeader, body: TransactionBody): Applied {
    return this.#tree.apply(header, body);
  }

  /** Replaces the tree by a copy of another's, as SNAP does; watches stay, and nobody is told. */
  restore(tree: ZnodeTree): void {
    this.#tree = tree.copy(this);
  }

  disconnect(watcher: Watcher): void {
    this.#dataWatches.removeWatcher(watcher);
    this.#childWatches.removeWatcher(watcher);
  }

  /** Answers from the tree as it is now, and registers watches for the connection. */
  answer(request: LocalRequest, watcher: Watcher): ZnodeAnswer {
    const zxid = this.#tree.lastProcessedZxid;
    switch (request.op) {
      case "exists":
        return this.#exists(request.path, request.watch === true ? watcher : undefined, watcher);
      case "getData":
        return this.#read(request.path, watcher, permission.read, (node) => {
          if (request.watch === true) this.#dataWatches.add(request.path, watcher);
          return { error: null, zxid, result: { data: node.data, stat: statOf(node) } };
        });
      case "getChildren":
        return this.#read(request.path, watcher, permission.read, (node) => {
          if (request.watch === true) this.#childWatches.add(request.path, watcher);
          const children = node.children === undefined ? [] : [...node.children];
          return { error: null, zxid, result: { children, stat: statOf(node) } };
        });
      case "getACL":
        return this.#read(request.path, watcher, permission.read | permission.admin, (node) => {
          const admin = isPermitted(node.acl, permission.admin, this.#identities(watcher));
          const acl = admin ? node.acl : maskedAcl(node.acl);
          return { error: null, zxid, result: { acl, stat: statOf(node) } };
        });
      case "sync":
        return { error: null, zxid, result: { path: request.path } };
      case "addWatch":
        return this.#addWatch(request, watcher);
      case "removeWatches":
        if (!this.features.extendedOperations) return { error: "Unimplemented", zxid };
        if (!this.#removeWatches(request.path, request.kind, watcher)) return { error: "NoWatcher", zxid };
        return { error: null, zxid, result: {} };
      case "setWatches":
        this.#setWatches(request, watcher);
        return { error: null, zxid, result: {} };
      case "addAuth": {
        const known = request.scheme === "digest" || request.scheme === "ip";
        return known ? { error: null, zxid: 0, result: {} } : { error: "AuthFailed", zxid: 0 };
      }
    }
  }

  created(path: string, parent: string, zxid: Zxid, acl: readonly Acl[], parentAcl: readonly Acl[]): void {
    this.#dataWatches.trigger(path, "NodeCreated", zxid, acl, this.#notify);
    this.#childWatches.trigger(parent, "NodeChildrenChanged", zxid, parentAcl, this.#notify);
  }

  deleted(path: string, parent: string, zxid: Zxid, acl: readonly Acl[], parentAcl: readonly Acl[]): void {
    const told = this.#dataWatches.trigger(path, "NodeDeleted", zxid, acl, this.#notify);
    this.#childWatches.trigger(path, "NodeDeleted", zxid, acl, this.#notify, told);
    this.#childWatches.trigger(parent, "NodeChildrenChanged", zxid, parentAcl, this.#notify);
  }

  dataChanged(path: string, zxid: Zxid, acl: readonly Acl[]): void {
    this.#dataWatches.trigger(path, "NodeDataChanged", zxid, acl, this.#notify);
  }

  readonly #notify = (watcher: Watcher, event: WatchEvent, acl: readonly Acl[] | undefined): void => {
    const hidden =
      this.features.eventsNeedRead &&
      acl !== undefined &&
      !isPermitted(acl, permission.read, this.#identities(watcher));
    if (!hidden) this.#deliver(watcher, event);
  };

  #read(
    path: string,
    watcher: Watcher,
    wanted: number,
    answer: (node: Readonly<Znode>) => ZnodeAnswer,
  ): ZnodeAnswer {
    const node = this.#tree.node(path);
    const zxid = this.#tree.lastProcessedZxid;
    if (node === undefined) return { error: "NoNode", zxid };
    if (!isPermitted(node.acl, wanted, this.#identities(watcher))) return { error: "NoAuth", zxid };
    return answer(node);
  }

  #exists(path: string, watch: Watcher | undefined, watcher: Watcher): ZnodeAnswer {
    const zxid = this.#tree.lastProcessedZxid;
    if (path.includes("\0")) return { error: "BadArguments", zxid };
    const node = this.#tree.node(path);
    if (node !== undefined && this.features.eventsNeedRead) {
      if (!isPermitted(node.acl, permission.read, this.#identities(watcher)))
        return { error: "NoAuth", zxid };
    }
    if (watch !== undefined) this.#dataWatches.add(path, watch);
    if (node === undefined) return { error: "NoNode", zxid };
    return { error: null, zxid, result: { stat: statOf(node) } };
  }

  #addWatch(request: Extract<ZnodeRequest, { op: "addWatch" }>, watcher: Watcher): ZnodeAnswer {
    const zxid = this.#tree.lastProcessedZxid;
    if (!this.features.persistentWatches) return { error: "Unimplemented", zxid };
    const mode = request.mode === "persistent" ? watchMode.persistent : watchMode.recursive;
    this.#dataWatches.add(request.path, watcher, mode);
    if (mode === watchMode.persistent || !this.features.watchModesCoexist) {
      this.#childWatches.add(request.path, watcher, mode);
    }
    return { error: null, zxid, result: {} };
  }

  #removeWatches(path: string, kind: WatcherKind, watcher: Watcher): boolean {
    if (kind === "data") return this.#dataWatches.remove(path, watcher, watchMode.standard);
    if (kind === "children") return this.#childWatches.remove(path, watcher, watchMode.standard);
    const children = this.#childWatches.remove(path, watcher);
    const data = this.#dataWatches.remove(path, watcher);
    return children || data;
  }

  /** What a client sends after a reconnection (DataTree.setWatches): changes missed are told now, without zxid. */
  #setWatches(request: Extract<ZnodeRequest, { op: "setWatches" }>, watcher: Watcher): void {
    const tell = (type: WatchEvent["type"], path: string): void => {
      this.#deliver(watcher, { type, path, zxid: -1 });
    };
    for (const path of request.data) {
      const node = this.#tree.node(path);
      if (node === undefined) tell("NodeDeleted", path);
      else if (node.mzxid > request.relativeZxid) tell("NodeDataChanged", path);
      else this.#dataWatches.add(path, watcher);
    }
    for (const path of request.exists) {
      if (this.#tree.node(path) !== undefined) tell("NodeCreated", path);
      else this.#dataWatches.add(path, watcher);
    }
    for (const path of request.children) {
      const node = this.#tree.node(path);
      if (node === undefined) tell("NodeDeleted", path);
      else if (node.pzxid > request.relativeZxid) tell("NodeChildrenChanged", path);
      else this.#childWatches.add(path, watcher);
    }
    for (const path of request.persistent) {
      this.#childWatches.add(path, watcher, watchMode.persistent);
      this.#dataWatches.add(path, watcher, watchMode.persistent);
    }
    for (const path of request.persistentRecursive) {
      this.#dataWatches.add(path, watcher, watchMode.recursive);
      if (!this.features.watchModesCoexist) this.#childWatches.add(path, watcher, watchMode.recursive);
    }
  }
}

/** The identity that an addAuth gives its connection; undefined where the scheme is unknown (AuthFailed, and the server hangs up). */
export function authenticate(scheme: string, auth: string, address = "127.0.0.1"): AuthId | undefined {
  if (scheme === "digest") return digestIdentity(auth);
  return scheme === "ip" ? { scheme: "ip", id: address } : undefined;
}

/**
 * The nodes that the leader may delete by itself now: containers that had children and have none, and childless TTL
 * nodes unchanged for longer than their time (ContainerManager).
 */
export function expiredNodes(tree: ZnodeTree, nowMs: number): readonly string[] {
  const expired: string[] = [];
  for (const path of tree.containers) {
    const node = tree.node(path);
    if (node !== undefined && (node.children?.size ?? 0) === 0 && node.creates > 0) expired.push(path);
  }
  for (const path of tree.ttls) {
    const node = tree.node(path);
    if (node === undefined || (node.children?.size ?? 0) > 0) continue;
    const ttlMs = Number.parseInt(node.ephemeralOwner.slice(8), 16);
    if (ttlMs !== 0 && nowMs - node.mtime > ttlMs) expired.push(path);
  }
  return expired;
}
