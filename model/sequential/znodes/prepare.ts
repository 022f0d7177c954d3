import type { Zxid } from "../../history.ts";
import { type AuthId, isPermitted, permission, resolveAcl } from "./acl.ts";
import type { Acl, CreateMode, CreateRequest, ErrorCode, SubRequest, ZnodeRequest } from "./operations.ts";
import { isSpecialPath, isValidPath, parentPath, sequenceSuffix } from "./paths.ts";
import { latestFeatures, type ServerFeatures } from "./server-version.ts";
import type { CreateBody, SubTransactionBody, TransactionBody, TransactionHeader } from "./transactions.ts";
import { containerOwner, noOwner, ownerKind, ttlOwner, type ZnodeTree } from "./tree.ts";

/** The requests that become transactions. */
export type WriteRequest = Extract<
  ZnodeRequest,
  { op: "create" | "delete" | "setData" | "check" | "setACL" | "multi" | "reconfig" | "closeSession" }
>;

export interface PrepareOptions {
  readonly features?: ServerFeatures;
  /** zookeeper.extendedTypesEnabled: without it TTL nodes are Unimplemented. */
  readonly extendedTypes?: boolean;
  /** False where sessions are not tracked, as in a replay: every session counts as open. */
  readonly checkSessions?: boolean;
  /** Each transaction is applied, or thrown away, before the next one is prepared: nothing has to be remembered of it. */
  readonly appliesAtOnce?: boolean;
}

/** What a node will be once everything outstanding is applied (ZooKeeperServer.ChangeRecord). */
interface ChangeRecord {
  readonly zxid: Zxid;
  readonly path: string;
  readonly exists: boolean;
  readonly version: number;
  readonly creates: number;
  readonly aversion: number;
  readonly owner: string;
  readonly childCount: number;
  readonly acl: readonly Acl[];
}

interface TrackedSession {
  readonly timeoutMs: number;
  owner: string | undefined;
  closing: boolean;
}

type Prepared = TransactionBody | ErrorCode;
type PreparedSub = SubTransactionBody | ErrorCode;

const noPaths: readonly string[] = [];
const ttlMaxMs = 0xff_ffff_ffff;

/**
 * Makes transactions of requests on the leader: ZooKeeper's PrepRequestProcessor. It looks at the tree as it will be
 * once the outstanding transactions are applied, so that proposals may overtake commits. Every prepared transaction
 * must be applied to the tree and told to `applied`, in order; a leader that loses its office is thrown away.
 */
export class RequestPreparation {
  readonly #tree: ZnodeTree;
  readonly #features: ServerFeatures;
  readonly #extendedTypes: boolean;
  readonly #checkSessions: boolean;
  readonly #appliesAtOnce: boolean;
  readonly #sessions = new Map<string, TrackedSession>();
  readonly #latest = new Map<string, ChangeRecord>();
  #outstanding: ChangeRecord[] = [];
  #applied = 0;
  /** Of the multi being prepared: what each path's record was before. */
  #undo: (readonly [string, ChangeRecord | undefined])[] | undefined;

  constructor(tree: ZnodeTree, options: PrepareOptions = {}) {
    this.#tree = tree;
    this.#features = options.features ?? latestFeatures;
    this.#extendedTypes = options.extendedTypes ?? false;
    this.#checkSessions = options.checkSessions ?? true;
    this.#appliesAtOnce = options.appliesAtOnce ?? false;
    for (const [session, timeoutMs] of tree.sessions) {
      this.#sessions.set(session, { timeoutMs, owner: undefined, closing: false });
    }
  }

  /** The transaction for a request; a rejected one becomes an `error` transaction with its own zxid. */
  prepare(
    header: TransactionHeader,
    request: WriteRequest,
    identities: readonly AuthId[] = [],
    owner?: string,
  ): TransactionBody {
    const prepared = this.#prepareAny(header, request, identities, owner);
    return typeof prepared === "string" ? { type: "error", error: prepared } : prepared;
  }

  createSession(header: TransactionHeader, timeoutMs: number, owner?: string): TransactionBody {
    this.#sessions.set(header.session, { timeoutMs, owner, closing: false });
    return { type: "createSession", timeoutMs };
  }

  /** A session's client has reconnected through another server, which owns the session from now on. */
  moveSession(session: string, owner: string): void {
    const tracked = this.#sessions.get(session);
    if (tracked !== undefined) tracked.owner = owner;
  }

  /** What sync and other requests without a transaction pass on the leader: the error code, or undefined. */
  checkSession(session: string, owner?: string): ErrorCode | undefined {
    if (!this.#checkSessions) return undefined;
    const tracked = this.#sessions.get(session);
    if (tracked === undefined || tracked.closing) return "SessionExpired";
    tracked.owner ??= owner;
    return owner !== undefined && tracked.owner !== owner ? "SessionMoved" : undefined;
  }

  /** The client's own close, or the expiry by the leader: deletes all ephemeral nodes in one step. */
  closeSession(header: TransactionHeader): TransactionBody {
    const paths = new Set(this.#tree.ephemeralsOf(header.session));
    for (let i = this.#applied; i < this.#outstanding.length; i++) {
      const record = this.#outstanding[i];
      if (record === undefined) continue;
      if (!record.exists) paths.delete(record.path);
      else if (record.owner === header.session) paths.add(record.path);
    }
    for (const path of this.#remembers ? paths : noPaths) {
      // Differs from a plain delete as ZooKeeper does: the parent's record keeps its count of children.
      const parent = this.#record(parentPath(path));
      if (parent !== undefined && this.#features.closeSessionListsPaths) {
        this.#change({ ...parent, zxid: header.zxid });
      }
      this.#change(goneRecord(header.zxid, path));
    }
    const tracked = this.#sessions.get(header.session);
    if (tracked !== undefined) tracked.closing = true;
    return { type: "closeSession", paths: this.#features.closeSessionListsPaths ? [...paths] : null };
  }

  /** The deletion of an empty container or an expired TTL node, which the leader proposes to itself. */
  deleteContainer(header: TransactionHeader, path: string): TransactionBody {
    const prepared = this.#deleteContainer(header.zxid, path);
    return typeof prepared === "string" ? { type: "error", error: prepared } : prepared;
  }

  /** The transaction with this zxid, and all before it, are applied to the tree. */
  applied(zxid: Zxid): void {
    while (this.#applied < this.#outstanding.length) {
      const record = this.#outstanding[this.#applied];
      if (record === undefined || record.zxid > zxid) break;
      if (this.#latest.get(record.path) === record) this.#latest.delete(record.path);
      this.#applied++;
    }
    if (this.#applied === this.#outstanding.length) {
      this.#outstanding.length = 0;
      this.#applied = 0;
    } else if (this.#applied > 1024 && this.#applied * 2 > this.#outstanding.length) {
      this.#outstanding = this.#outstanding.slice(this.#applied);
      this.#applied = 0;
    }
  }

  /** The session's closing transaction is applied, so nothing of it is remembered. */
  forgetSession(session: string): void {
    this.#sessions.delete(session);
  }

  #prepareAny(
    header: TransactionHeader,
    request: WriteRequest,
    identities: readonly AuthId[],
    owner: string | undefined,
  ): Prepared {
    if (request.op === "closeSession") return this.closeSession(header);
    if (request.op === "multi") return this.#multi(header, request.operations, identities, owner);
    if (request.op === "reconfig") {
      return this.#features.extendedOperations ? "ReconfigDisabled" : "Unimplemented";
    }
    if (request.op !== "setACL") return this.#sub(header, request, identities, owner);
    const session = this.checkSession(header.session, owner);
    if (session !== undefined) return session;
    if (!isValidPath(request.path)) return "BadArguments";
    const acl = resolveAcl(request.acl, identities);
    if (acl === undefined) return "InvalidACL";
    const node = this.#record(request.path);
    if (node === undefined) return "NoNode";
    if (!isPermitted(node.acl, permission.admin, identities)) return "NoAuth";
    const aversion = this.#nextVersion(node.aversion, request.version);
    if (aversion === undefined) return "BadVersion";
    // As in ZooKeeper, the record keeps the old list until the transaction is applied.
    if (this.#remembers) this.#change({ ...node, zxid: header.zxid, aversion });
    return { type: "setACL", path: request.path, acl, version: aversion };
  }

  #multi(
    header: TransactionHeader,
    operations: readonly SubRequest[],
    identities: readonly AuthId[],
    owner: string | undefined,
  ): TransactionBody {
    const transactions: SubTransactionBody[] = [];
    const before = this.#outstanding.length;
    this.#undo = [];
    let failed = false;
    for (const operation of operations) {
      const prepared = failed ? "RuntimeInconsistency" : this.#sub(header, operation, identities, owner);
      if (typeof prepared !== "string") {
        transactions.push(prepared);
        continue;
      }
      transactions.push({ type: "error", error: prepared });
      if (!failed) this.#rollBack(before);
      failed = true;
    }
    this.#undo = undefined;
    if (this.#appliesAtOnce) this.applied(header.zxid);
    return { type: "multi", transactions };
  }

  #rollBack(outstanding: number): void {
    this.#outstanding.length = outstanding;
    for (const [path, record] of (this.#undo ?? []).reverse()) {
      if (record === undefined) this.#latest.delete(path);
      else this.#latest.set(path, record);
    }
    this.#undo = [];
  }

  #sub(
    header: TransactionHeader,
    request: SubRequest,
    identities: readonly AuthId[],
    owner: string | undefined,
  ): PreparedSub {
    if (request.op === "create" && isTtl(request.mode)) {
      const refused = this.#refuseTtl(request.ttlMs);
      if (refused !== undefined) return refused;
    }
    const session = this.checkSession(header.session, owner);
    if (session !== undefined) return session;
    switch (request.op) {
      case "create":
        return this.#create(header, request, identities);
      case "delete":
        return this.#delete(header.zxid, request.path, request.version, identities);
      case "setData": {
        if (!isValidPath(request.path)) return "BadArguments";
        const node = this.#record(request.path);
        if (node === undefined) return "NoNode";
        if (!isPermitted(node.acl, permission.write, identities)) return "NoAuth";
        const version = this.#nextVersion(node.version, request.version);
        if (version === undefined) return "BadVersion";
        if (this.#remembers) this.#change(changed(node, header.zxid, version, node.creates, node.childCount));
        return { type: "setData", path: request.path, data: request.data, version };
      }
      case "check": {
        if (!isValidPath(request.path)) return "BadArguments";
        const node = this.#record(request.path);
        if (node === undefined) return "NoNode";
        if (!isPermitted(node.acl, permission.read, identities)) return "NoAuth";
        const version = this.#nextVersion(node.version, request.version);
        return version === undefined ? "BadVersion" : { type: "check", path: request.path, version };
      }
    }
  }

  #refuseTtl(ttlMs: number | undefined): ErrorCode | undefined {
    if (!this.#extendedTypes || !this.#features.extendedOperations) return "Unimplemented";
    return ttlMs === undefined || ttlMs <= 0 || ttlMs > ttlMaxMs ? "BadArguments" : undefined;
  }

  #create(header: TransactionHeader, request: CreateRequest, identities: readonly AuthId[]): PreparedSub {
    const { mode, data } = request;
    if (mode === "container" && !this.#features.extendedOperations) return "Unimplemented";
    let path = request.path;
    const slash = path.lastIndexOf("/");
    if (slash === -1 || path.includes("\0")) return "BadArguments";
    const acl = resolveAcl(request.acl, identities);
    if (acl === undefined) return "InvalidACL";
    const parent = this.#record(slash === 0 ? "/" : path.slice(0, slash));
    if (parent === undefined) return "NoNode";
    if (!isPermitted(parent.acl, permission.create, identities)) return "NoAuth";
    if (isSequential(mode)) path += sequenceSuffix(parent.creates);
    if (!isValidPath(path)) return "BadArguments";
    if (this.#exists(path)) return "NodeExists";
    if (ownerKind(parent.owner) === "session") return "NoChildrenForEphemerals";

    const creates = (parent.creates + 1) | 0;
    if (this.#remembers) {
      this.#change(changed(parent, header.zxid, parent.version, creates, parent.childCount + 1));
      const owner = ownerFor(mode, header.session, request.ttlMs);
      this.#change(newRecord(header.zxid, path, owner, acl));
    }
    return createBody(path, data, acl, mode, creates, request.ttlMs);
  }

  #delete(zxid: Zxid, path: string, version: number, identities: readonly AuthId[]): PreparedSub {
    if (!path.includes("/") || path.includes("\0") || isSpecialPath(path)) return "BadArguments";
    const parent = this.#record(parentPath(path));
    if (parent === undefined) return "NoNode";
    const allowed = isPermitted(parent.acl, permission.delete, identities);
    if (!allowed && this.#features.deleteChecksAclFirst) return "NoAuth";
    const node = this.#record(path);
    if (node === undefined) return "NoNode";
    if (!allowed) return "NoAuth";
    if (this.#nextVersion(node.version, version) === undefined) return "BadVersion";
    if (node.childCount > 0) return "NotEmpty";
    if (this.#remembers) {
      this.#change(changed(parent, zxid, parent.version, parent.creates, parent.childCount - 1));
      this.#change(goneRecord(zxid, path));
    }
    return { type: "delete", path };
  }

  #deleteContainer(zxid: Zxid, path: string): PreparedSub {
    if (!path.includes("/") || path.includes("\0") || isSpecialPath(path)) return "BadArguments";
    const node = this.#record(path);
    if (node === undefined) return "NoNode";
    if (node.childCount > 0) return "NotEmpty";
    if (ownerKind(node.owner) === "session") return "BadVersion";
    const parent = this.#record(parentPath(path));
    if (parent === undefined) return "NoNode";
    if (this.#remembers) {
      this.#change(changed(parent, zxid, parent.version, parent.creates, parent.childCount - 1));
      this.#change(goneRecord(zxid, path));
    }
    return { type: "deleteContainer", path };
  }

  /** The version after a change, or undefined where the expected one is not the present one. */
  #nextVersion(current: number, expected: number): number | undefined {
    if (expected !== -1 && expected !== current) return undefined;
    const next = (current + 1) | 0;
    return next === -1 && this.#features.versionSkipsMinusOne ? 0 : next;
  }

  /** Whether what is prepared now is looked at again before it is applied. */
  get #remembers(): boolean {
    return !this.#appliesAtOnce || this.#undo !== undefined;
  }

  #exists(path: string): boolean {
    const record = this.#latest.get(path);
    return record === undefined ? this.#tree.node(path) !== undefined : record.exists;
  }

  #record(path: string): ChangeRecord | undefined {
    const record = this.#latest.get(path);
    if (record !== undefined) return record.exists ? record : undefined;
    const node = this.#tree.node(path);
    if (node === undefined) return undefined;
    return {
      zxid: -1,
      path,
      exists: true,
      version: node.version,
      creates: node.creates,
      aversion: node.aversion,
      owner: node.ephemeralOwner,
      childCount: node.children === undefined ? 0 : node.children.size,
      acl: node.acl,
    };
  }

  #change(record: ChangeRecord): void {
    this.#undo?.push([record.path, this.#latest.get(record.path)]);
    this.#outstanding.push(record);
    this.#latest.set(record.path, record);
  }
}

function changed(
  record: ChangeRecord,
  zxid: Zxid,
  version: number,
  creates: number,
  childCount: number,
): ChangeRecord {
  const { path, aversion, owner, acl } = record;
  return { zxid, path, exists: true, version, creates, aversion, owner, childCount, acl };
}

function newRecord(zxid: Zxid, path: string, owner: string, acl: readonly Acl[]): ChangeRecord {
  return { zxid, path, exists: true, version: 0, creates: 0, aversion: 0, owner, childCount: 0, acl };
}

function goneRecord(zxid: Zxid, path: string): ChangeRecord {
  return {
    zxid,
    path,
    exists: false,
    version: 0,
    creates: 0,
    aversion: 0,
    owner: noOwner,
    childCount: 0,
    acl: [],
  };
}

export function isSequential(mode: CreateMode): boolean {
  return (
    mode === "persistent-sequential" ||
    mode === "ephemeral-sequential" ||
    mode === "persistent-sequential-ttl"
  );
}

export function isEphemeral(mode: CreateMode): boolean {
  return mode === "ephemeral" || mode === "ephemeral-sequential";
}

export function isTtl(mode: CreateMode): boolean {
  return mode === "persistent-ttl" || mode === "persistent-sequential-ttl";
}

function ownerFor(mode: CreateMode, session: string, ttlMs: number | undefined): string {
  if (mode === "container") return containerOwner;
  if (isTtl(mode)) return ttlOwner(ttlMs ?? 0);
  return isEphemeral(mode) ? session : noOwner;
}

function createBody(
  path: string,
  data: string | null,
  acl: readonly Acl[],
  mode: CreateMode,
  parentCversion: number,
  ttlMs: number | undefined,
): CreateBody {
  if (isTtl(mode) && ttlMs !== undefined) {
    return { type: "createTTL", path, data, acl, ephemeral: false, parentCversion, ttlMs };
  }
  const type = mode === "container" ? "createContainer" : "create";
  return { type, path, data, acl, ephemeral: isEphemeral(mode), parentCversion };
}
