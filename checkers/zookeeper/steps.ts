import {
  authenticate,
  type AuthId,
  checkedOperation,
  type ErrorCode,
  type Event,
  isFinalRead,
  isSynced,
  type Json,
  pairOperations,
  parseSessionEvent,
  parseWatchEvent,
  type SessionEvent,
  type WatchEventType,
  type ZnodeRequest,
  type Zxid,
} from "../../model/index.ts";

export type JsonObject = { readonly [key: string]: Json };

/** `rejected`: the server answered a definite error. `unsent`: it certainly never reached a server. */
export type StepOutcome = "ok" | "rejected" | "unsent" | "unknown";

/** One operation of a client on an ensemble: an invocation with what became of it. */
export class Step {
  readonly invocation: Event;
  readonly completion: Event | undefined;
  readonly op: ZnodeRequest["op"];
  readonly outcome: StepOutcome;
  readonly isWrite: boolean;
  /** The reply's zxid, -1 where none is known. */
  readonly zxid: Zxid;
  /** "" where it is not known. */
  readonly session: string;
  readonly server: string;
  /** What the connection had proved of itself when it invoked. */
  readonly identities: readonly AuthId[];
  /** The invocation of the sync that this read follows on its session; undefined for plain reads. */
  readonly syncedSince: Event | undefined;

  constructor(
    invocation: Event,
    completion: Event | undefined,
    op: ZnodeRequest["op"],
    identities: readonly AuthId[],
    syncedSince: Event | undefined,
  ) {
    this.invocation = invocation;
    this.completion = completion;
    this.op = op;
    this.isWrite = writes.has(op);
    this.zxid = completion?.zxid ?? -1;
    this.session = completion?.session ?? invocation.session ?? "";
    this.server = completion?.server ?? invocation.server ?? "";
    this.outcome = outcomeOf(completion, this.zxid);
    this.identities = identities;
    this.syncedSince = syncedSince;
  }

  /** The request's fields. */
  get request(): JsonObject {
    return this.invocation.value as JsonObject;
  }

  /** The answer's fields, beside the request's. */
  get answer(): JsonObject {
    const value = this.completion?.value;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : noFields;
  }

  /** The requested path; "" for operations without one. */
  get path(): string {
    const path = this.request["path"];
    return typeof path === "string" ? path : "";
  }

  get error(): ErrorCode | undefined {
    return this.outcome === "rejected" ? (this.completion?.error as ErrorCode) : undefined;
  }

  /** Whether the reply's zxid is the position of this very write. */
  get hasPosition(): boolean {
    return this.isWrite && this.zxid > 0 && (this.outcome === "ok" || isPositioned(this.error));
  }

  /** Whether the reply shows the tree as it was at its zxid. */
  get isAnswered(): boolean {
    return this.outcome === "ok" || this.outcome === "rejected";
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
export interface ZookeeperHistory {
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

function isPositioned(error: ErrorCode | undefined): boolean {
  return error !== undefined && positioned.has(error);
}

const noFields: JsonObject = {};

/** Names of errors of ZooKeeper; a `fail` with another text was never sent. */
const errorName = /^[A-Z][A-Za-z]+$/;

function outcomeOf(completion: Event | undefined, zxid: Zxid): StepOutcome {
  if (completion === undefined || completion.type === "info") return "unknown";
  if (completion.type === "ok") return "ok";
  return zxid >= 0 && completion.error !== undefined && errorName.test(completion.error)
    ? "rejected"
    : "unsent";
}

const nobody: readonly AuthId[] = [];

/**
 * Reads a history of znode operations (model/sequential/znodes/history-form.ts). Operations and events of others, such
 * as faults, are left aside. Throws InputError where the history or a value is not of that form.
 */
export function readHistory(events: readonly Event[]): ZookeeperHistory {
  const watches: WatchStep[] = [];
  const sessions: SessionStep[] = [];
  for (const event of events) {
    const watch = parseWatchEvent(event);
    if (watch !== undefined) {
      const { type, path, session, zxid } = watch;
      watches.push({ event, type, path, session, zxid });
      continue;
    }
    const what = parseSessionEvent(event);
    if (what !== undefined) sessions.push({ event, what });
  }
  return { events, steps: stepsOf(events, sessions), watches, sessions };
}

function stepsOf(events: readonly Event[], sessions: readonly SessionStep[]): Step[] {
  const steps: Step[] = [];
  const identities = new Map<string, readonly AuthId[]>();
  const lastSync = new Map<string, Step>();
  let connected = 0;
  for (const { invocation, completion } of pairOperations(events)) {
    for (; connected < sessions.length; connected++) {
      const { event, what } = sessions[connected] as SessionStep;
      if (event.index > invocation.index) break;
      if (what.f === "connect") identities.delete(what.session);
    }
    const op = checkedOperation(invocation);
    if (op === undefined) continue;
    const session = completion?.session ?? invocation.session ?? "";
    const sync = lastSync.get(session);
    lastSync.delete(session);
    const since = isSynced(invocation.f) ? invocation : syncBefore(sync, invocation);
    const step = new Step(invocation, completion, op, identities.get(session) ?? nobody, since);
    steps.push(step);
    if (op === "sync" && step.outcome === "ok") lastSync.set(session, step);
    if (op === "addAuth" && step.outcome === "ok") {
      const identity = authenticate(String(step.request["scheme"]), String(step.request["auth"]));
      if (identity !== undefined) identities.set(session, [...(identities.get(session) ?? nobody), identity]);
    }
  }
  return steps;
}

/** A sync on the same connection right before a read makes it a synced one. */
function syncBefore(sync: Step | undefined, invocation: Event): Event | undefined {
  if (sync?.completion === undefined || sync.completion.index > invocation.index) return undefined;
  const sameServer =
    invocation.server === undefined || sync.server === "" || sync.server === invocation.server;
  return sameServer && sync.invocation.process === invocation.process ? sync.invocation : undefined;
}

export function isFinal(step: Step): boolean {
  return isFinalRead(step.invocation);
}
