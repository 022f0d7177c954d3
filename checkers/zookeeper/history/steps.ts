import type {
  AuthId,
  CreateMode,
  ErrorCode,
  Stat,
  SubRequest,
  SubResult,
  WriteRequest,
  ZnodeRequest,
  Zxid,
} from "../../../model/index.ts";
import type { EventRecord, JsonObject } from "./event-record.ts";
import type { OperationKind } from "./operation-kinds.ts";
import { EventReference, type RecordedEvents } from "./recorded-events.ts";
import type { SeenPath, SeenPaths } from "./seen-paths.ts";

/** Above every index of an event; small enough to be kept without a box. */
export const neverCompleted: number = 2 ** 31 - 1;

/** `rejected`: the server answered a definite error. `unsent`: it certainly never reached a server. */
export type StepOutcome = "ok" | "rejected" | "unsent" | "unknown";

/**
 * One operation of a client on an ensemble: an invocation with what became of it. It has what checks look at; its
 * events are kept by the history, and fetched where something is told of them.
 */
export class Step {
  readonly kind: OperationKind;
  readonly process: number | string;
  /** What a create or setData asks to be written, or a getData has read; undefined where none was told. */
  data: string | null | undefined;
  /** The version that the request expects; -1 where it expects none. */
  readonly version: number;
  /** Of a create. */
  readonly mode: CreateMode | undefined;
  /** Index of the invocation of the sync that this read follows on its session; undefined for plain reads. */
  syncedSince: number | undefined;
  /** What the connection had proved of itself when it invoked. */
  identities: readonly AuthId[] = nobody;
  /** Index of the invocation, and of the completion, `neverCompleted` where there is none. */
  readonly invokedAt: number;
  completedAt: number = neverCompleted;
  outcome: StepOutcome = "unknown";
  /** The reply's zxid, -1 where none is known. */
  zxid: Zxid = -1;
  /** "" where it is not known. */
  session: string;
  server: string;
  /** The Stat that the answer shows of `path`, or of the node created; undefined for other answers. */
  stat: Stat | undefined = undefined;
  /** The error of a rejected one, or the path of what was created. */
  #answered = "";
  /** The names that a getChildren has answered, or what a multi's parts were. */
  #list: readonly string[] | readonly SubResult[] | undefined = undefined;
  #flags = 0;
  readonly #seen: SeenPath;
  readonly #request: JsonObject | undefined;
  readonly #events: RecordedEvents;

  constructor(record: EventRecord, paths: SeenPaths, events: RecordedEvents) {
    const { kind } = record;
    const asksForWatch = record.watch || kind.op === "addWatch" || kind.op === "setWatches";
    this.kind = kind;
    this.process = record.process;
    this.#seen = paths.of(record.path);
    this.data = record.data;
    this.version = record.version;
    this.mode = record.mode;
    this.syncedSince = kind.isComposite ? record.index : undefined;
    this.#flags = (asksForWatch ? flags.setsWatches : 0) | (record.isFinal ? flags.isFinal : 0);
    this.invokedAt = record.index;
    this.session = record.session;
    this.server = record.server;
    this.#request = record.request;
    this.#events = events;
  }

  /** Notes what became of it, as the record of its completion tells. */
  complete(record: EventRecord, paths: SeenPaths): void {
    const { op, isWrite } = this;
    this.completedAt = record.index;
    this.zxid = record.zxid;
    if (record.session !== "") this.session = record.session;
    if (record.server !== "") this.server = record.server;
    this.outcome = record.outcome;
    if (!this.isAnswered) return;
    if (op === "multi") this.#list = record.results;
    if (this.outcome === "ok") {
      const seen = op === "create" ? paths.of(record.path) : this.#seen;
      if (op === "create") this.#answered = seen.path;
      else if (op === "getData") this.data = record.data;
      else if (op === "getChildren") this.#list = record.children;
      if (record.stat !== undefined) this.stat = seen.shows(record.stat);
    } else this.#answered = record.error;
    const isPositioned = isWrite && this.zxid > 0 && (this.outcome === "ok" || positioned.has(record.error));
    if (isPositioned) this.#flags |= flags.hasPosition;
  }

  get op(): ZnodeRequest["op"] {
    return this.kind.op;
  }

  get isWrite(): boolean {
    return this.kind.isWrite;
  }

  /** Whether it reads a node, or a node's children. */
  get readsTree(): boolean {
    return this.kind.readsTree;
  }

  /** The requested path; "" for operations without one. */
  get path(): string {
    return this.#seen.path;
  }

  /** Whether it asks for a watch. */
  get setsWatches(): boolean {
    return (this.#flags & flags.setsWatches) !== 0;
  }

  /** Whether it is one of the final reads, when faults are undone and nobody writes. */
  get isFinal(): boolean {
    return (this.#flags & flags.isFinal) !== 0;
  }

  /** Whether the reply's zxid is the position of this very write. */
  get hasPosition(): boolean {
    return (this.#flags & flags.hasPosition) !== 0;
  }

  /** Whether the reply shows the tree as it was at its zxid. */
  get isAnswered(): boolean {
    return this.outcome === "ok" || this.outcome === "rejected";
  }

  get error(): ErrorCode | undefined {
    return this.outcome === "rejected" ? (this.#answered as ErrorCode) : undefined;
  }

  /** The path that a successful create has really created; "" for others. */
  get created(): string {
    return this.outcome === "ok" ? this.#answered : "";
  }

  /** The names that a getChildren has answered. */
  get children(): readonly string[] | undefined {
    return this.op === "getChildren" ? (this.#list as readonly string[] | undefined) : undefined;
  }

  /** What a multi's parts were answered. */
  get results(): readonly SubResult[] | undefined {
    return this.op === "multi" ? (this.#list as readonly SubResult[] | undefined) : undefined;
  }

  get invocation(): EventReference {
    return new EventReference(this.#events, this.invokedAt);
  }

  get completion(): EventReference | undefined {
    return this.completedAt === neverCompleted ? undefined : this.reply;
  }

  /** The completion of one that has one. */
  get reply(): EventReference {
    return new EventReference(this.#events, this.completedAt);
  }

  /** Whether the tree determines the answer. */
  get isDetermined(): boolean {
    return this.isWrite ? this.hasPosition : this.readsTree || this.op === "setWatches";
  }

  /** Whether it asks for a create of one of the modes whose names begin with "ephemeral". */
  get createsEphemeral(): boolean {
    return this.mode?.startsWith("ephemeral") === true;
  }

  get createsSequential(): boolean {
    return this.mode?.includes("sequential") === true;
  }

  /** The fields of a request that path, `data`, `version` and `mode` do not tell whole. */
  get request(): JsonObject {
    if (this.#request === undefined)
      throw new Error(`${this.op} has all that it asks for in fields of its own`);
    return this.#request;
  }

  /** Whether a create names the ACL of its node. */
  get hasAcl(): boolean {
    return this.#request?.["acl"] !== undefined;
  }

  /** The parts of a multi. */
  get operations(): readonly SubRequest[] {
    return this.request["operations"] as unknown as readonly SubRequest[];
  }

  /** The request with its op, for a write. */
  get writeRequest(): WriteRequest {
    const { op, path, version } = this;
    const data = this.data as string | null;
    if (op === "setData") return { op, path, data, version };
    if (op === "delete" || op === "check") return { op, path, version };
    if (op === "multi") return { op, operations: this.operations };
    if (op === "create") {
      const { acl, ttlMs } = this.#request ?? noFields;
      return { op, path, data, mode: this.mode, acl, ttlMs } as unknown as WriteRequest;
    }
    return { ...this.request, op } as unknown as WriteRequest;
  }

  /** What a getData has read: the data that belongs to its Stat's mzxid; undefined where none was told. */
  get dataRead(): string | null | undefined {
    return this.op === "getData" ? this.data : undefined;
  }
}

const flags = { setsWatches: 1, isFinal: 2, hasPosition: 4 } as const;

/** Errors that the leader's preparation gives, so that the write has a transaction of its own. */
const positioned: ReadonlySet<string> = new Set<ErrorCode>([
  "BadArguments",
  "BadVersion",
  "InvalidACL",
  "NoAuth",
  "NoChildrenForEphemerals",
  "NoNode",
  "NodeExists",
  "NotEmpty",
  "QuotaExceeded",
  "RuntimeInconsistency",
]);

const noFields: JsonObject = {};
const nobody: readonly AuthId[] = [];
