import {
  authenticate,
  type AuthId,
  byIndex,
  checkAnswer,
  checkedOperation,
  type ErrorCode,
  type Event,
  HistoryRules,
  isFinalRead,
  isSynced,
  type Json,
  parseSessionEvent,
  parseWatchEvent,
  type SessionEvent,
  sessionsProcess,
  type Stat,
  type SubRequest,
  watchesProcess,
  type WatchEventType,
  type WriteRequest,
  type ZnodeRequest,
  type Zxid,
} from "../../model/index.ts";
import { SeenPaths, type SeenPath } from "./seen-paths.ts";
import { Lists, type StepLists } from "./step-lists.ts";

export type JsonObject = { readonly [key: string]: Json };

/** Above every index of an event; small enough to be kept without a box. */
export const neverCompleted: number = 2 ** 31 - 1;

/** `rejected`: the server answered a definite error. `unsent`: it certainly never reached a server. */
export type StepOutcome = "ok" | "rejected" | "unsent" | "unknown";

/** One operation of a client on an ensemble: an invocation with what became of it. */
export class Step {
  readonly invocation: Event;
  readonly op: ZnodeRequest["op"];
  readonly isWrite: boolean;
  /** The requested path; "" for operations without one. */
  readonly path: string;
  /** The invocation of the sync that this read follows on its session; undefined for plain reads. */
  syncedSince: Event | undefined;
  /** What the connection had proved of itself when it invoked. */
  identities: readonly AuthId[] = nobody;
  completion: Event | undefined = undefined;
  /** Whether it asks for a watch. */
  readonly setsWatches: boolean;
  /** Whether it is one of the final reads, when faults are undone and nobody writes. */
  readonly isFinal: boolean;
  /** Index of the invocation, and of the completion, `neverCompleted` where there is none. */
  readonly invokedAt: number;
  completedAt: number = neverCompleted;
  outcome: StepOutcome = "unknown";
  /** The reply's zxid, -1 where none is known. */
  zxid: Zxid = -1;
  /** "" where it is not known. */
  session: string;
  server: string;
  error: ErrorCode | undefined = undefined;
  /** The path that a successful create has really created; "" for others. */
  created = "";
  /** The Stat that the answer shows of `path`, or of the node created; undefined for other answers. */
  stat: Stat | undefined = undefined;
  /** Whether the reply's zxid is the position of this very write. */
  hasPosition = false;
  /** Whether the reply shows the tree as it was at its zxid. */
  isAnswered = false;
  readonly #seen: SeenPath;

  constructor(invocation: Event, op: ZnodeRequest["op"], paths: SeenPaths) {
    this.invocation = invocation;
    this.invokedAt = invocation.index;
    this.op = op;
    this.isWrite = writes.has(op);
    const { path, watch } = invocation.value as JsonObject;
    this.setsWatches = watch === true || op === "addWatch" || op === "setWatches";
    this.isFinal = isFinalRead(invocation);
    this.#seen = paths.of(typeof path === "string" ? path : "");
    this.path = this.#seen.path;
    this.session = invocation.session ?? "";
    this.server = invocation.server ?? "";
    this.syncedSince = isSynced(invocation.f) ? invocation : undefined;
  }

  /** Notes what became of it. Throws InputError for an answer that is not of its operation's form. */
  complete(completion: Event, paths: SeenPaths): void {
    this.completion = completion;
    this.completedAt = completion.index;
    this.zxid = completion.zxid ?? -1;
    if (completion.session !== undefined) this.session = completion.session;
    if (completion.server !== undefined) this.server = completion.server;
    this.outcome = outcomeOf(completion, this.zxid);
    this.isAnswered = this.outcome === "ok" || this.outcome === "rejected";
    if (!this.isAnswered) return;
    checkAnswer(completion, this.op);
    if (this.outcome === "ok") {
      const { answer } = this;
      const seen = this.op === "create" ? paths.of(answer["path"] as string) : this.#seen;
      if (this.op === "create") this.created = seen.path;
      const stat = answer["stat"] as unknown as Stat | undefined;
      if (stat !== undefined) this.stat = seen.shows(stat);
    } else this.error = completion.error as ErrorCode;
    this.hasPosition =
      this.isWrite && this.zxid > 0 && (this.error === undefined || positioned.has(this.error));
  }

  /** Whether it reads a node, or a node's children. */
  get readsTree(): boolean {
    return this.op === "getData" || this.op === "exists" || this.op === "getChildren";
  }

  /** Whether the tree determines the answer. */
  get isDetermined(): boolean {
    return this.isWrite ? this.hasPosition : this.readsTree || this.op === "setWatches";
  }

  /** Whether it asks for a create of one of the modes whose names begin with "ephemeral". */
  get createsEphemeral(): boolean {
    return this.op === "create" && (this.request["mode"] as string).startsWith("ephemeral");
  }

  get createsSequential(): boolean {
    return this.op === "create" && (this.request["mode"] as string).includes("sequential");
  }

  /** The request's fields. */
  get request(): JsonObject {
    return this.invocation.value as JsonObject;
  }

  /** The request with its op, for a write. */
  get writeRequest(): WriteRequest {
    const { op, path, request } = this;
    // The most frequent ones without a copy of unknown shape.
    if (op === "setData")
      return { op, path, data: request["data"] as string | null, version: request["version"] as number };
    if (op === "delete") return { op, path, version: request["version"] as number };
    if (op === "multi") return { op, operations: request["operations"] as unknown as readonly SubRequest[] };
    if (op === "create") {
      const { data, mode, acl, ttlMs } = request;
      return { op, path, data, mode, acl, ttlMs } as unknown as WriteRequest;
    }
    return { ...request, op } as unknown as WriteRequest;
  }

  /** The answer's fields, beside the request's. */
  get answer(): JsonObject {
    const value = this.completion?.value;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : noFields;
  }

  /** What a getData has read: the data that belongs to its Stat's mzxid; undefined where none was told. */
  get dataRead(): string | null | undefined {
    return this.op === "getData" ? (this.answer["data"] as string | null | undefined) : undefined;
  }
}

export interface WatchStep {
  readonly event: Event;
  readonly type: WatchEventType;
  readonly path: string;
  readonly session: string;
  /** -1 where the server does not tell. */
  readonly zxid: Zxid;
}

export interface SessionStep {
  readonly event: Event;
  readonly what: SessionEvent;
}

/** A history as the checkers of ZooKeeper's promises read it. */
export interface ZookeeperHistory extends StepLists {
  readonly events: readonly Event[];
  /** In order of their invocations. */
  readonly steps: readonly Step[];
  readonly watches: readonly WatchStep[];
  readonly sessions: readonly SessionStep[];
}

const writes: ReadonlySet<string> = new Set<ZnodeRequest["op"]>([
  "create",
  "delete",
  "setData",
  "check",
  "setACL",
  "multi",
  "reconfig",
  "closeSession",
]);

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

/** Names of errors of ZooKeeper; a `fail` with another text was never sent. */
const errorName = /^[A-Z][A-Za-z]+$/;

function outcomeOf(completion: Event | undefined, zxid: Zxid): StepOutcome {
  if (completion === undefined || completion.type === "info") return "unknown";
  if (completion.type === "ok") return "ok";
  return zxid >= 0 && completion.error !== undefined && errorName.test(completion.error)
    ? "rejected"
    : "unsent";
}

/**
 * Reads a history of znode operations (model/sequential/znodes/history-form.ts). Operations and events of others, such
 * as faults, are left aside. Throws InputError where the history or a value is not of that form.
 */
export function readHistory(events: readonly Event[]): ZookeeperHistory {
  const steps: Step[] = [];
  const watches: WatchStep[] = [];
  const sessions: SessionStep[] = [];
  const lists = new Lists();
  const paths = new SeenPaths();
  const ops = new Set<ZnodeRequest["op"]>();
  const rules = new HistoryRules<Step | undefined>(byIndex, (invocation) => {
    const op = checkedOperation(invocation);
    if (op === undefined) return undefined;
    ops.add(op);
    const step = new Step(invocation, op, paths);
    steps.push(step);
    return step;
  });
  // Long lists are gone through with forEach: a loop that runs only once makes an object for each element.
  events.forEach((event) => {
    const step = rules.check(event);
    if (step !== undefined) {
      step.complete(event, paths);
      lists.completes(step);
    } else if (event.process === watchesProcess) {
      const { type, path, session, zxid } = parseWatchEvent(event) as ParsedWatchEvent;
      watches.push({ event, type, path, session, zxid });
    } else if (event.process === sessionsProcess) {
      const what = parseSessionEvent(event);
      if (what !== undefined) sessions.push({ event, what });
    }
  });
  if (ops.has("sync")) noteSyncs(steps);
  if (ops.has("addAuth")) noteIdentities(steps, sessions);
  steps.forEach((step) => lists.add(step));
  return Object.assign(lists, { events, steps, watches, sessions });
}

type ParsedWatchEvent = NonNullable<ReturnType<typeof parseWatchEvent>>;

function noteIdentities(steps: readonly Step[], sessions: readonly SessionStep[]): void {
  const identities = new Map<string, readonly AuthId[]>();
  let connected = 0;
  for (const step of steps) {
    for (; connected < sessions.length; connected++) {
      const { event, what } = sessions[connected] as SessionStep;
      if (event.index > step.invocation.index) break;
      if (what.f === "connect") identities.delete(what.session);
    }
    const known = identities.get(step.session) ?? nobody;
    step.identities = known;
    if (step.op !== "addAuth" || step.outcome !== "ok") continue;
    const identity = authenticate(String(step.request["scheme"]), String(step.request["auth"]));
    if (identity !== undefined) identities.set(step.session, [...known, identity]);
  }
}

/** A sync right before a read on the same connection makes it a synced one. */
function noteSyncs(steps: readonly Step[]): void {
  const lastSync = new Map<string, Step>();
  for (const step of steps) {
    if (lastSync.size > 0) {
      const sync = lastSync.get(step.session);
      if (sync !== undefined) lastSync.delete(step.session);
      step.syncedSince ??= syncBefore(sync, step.invocation);
    }
    if (step.op === "sync" && step.outcome === "ok") lastSync.set(step.session, step);
  }
}

function syncBefore(sync: Step | undefined, invocation: Event): Event | undefined {
  if (sync?.completion === undefined || sync.completion.index > invocation.index) return undefined;
  const sameServer =
    invocation.server === undefined || sync.server === "" || sync.server === invocation.server;
  return sameServer && sync.invocation.process === invocation.process ? sync.invocation : undefined;
}
