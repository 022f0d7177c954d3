import {
  type CreateMode,
  type Event,
  type EventHead,
  type EventType,
  isFinalRead,
  type Json,
  parseSessionEvent,
  parseWatchEvent,
  type SessionEvent,
  type Stat,
  type SubResult,
  type ZnodeRequest,
  type Zxid,
} from "../../../model/index.ts";
import { kindNamed, type OperationKind } from "./operation-kinds.ts";

export type JsonObject = { readonly [key: string]: Json };

type Op = ZnodeRequest["op"];

/** Names of errors of ZooKeeper; a `fail` with another text was never sent. */
const errorName = /^[A-Z][A-Za-z]+$/;

/**
 * What an event says of an operation, of a watch or of a session's life, one event at a time: whoever reads a history
 * fills it, and what is kept is taken from it. Fields of a request are those of an invocation, fields of an answer those
 * of a completion.
 */
export class EventRecord implements EventHead {
  index = 0;
  time = 0;
  process: number | string = 0;
  type: EventType = "invoke";
  f = "";
  /** -1 where none is told. */
  zxid: Zxid = -1;
  /** "" where none is told. */
  session = "";
  server = "";
  error = "";

  kind: OperationKind = kindNamed("sync") as OperationKind;
  /** Of the request, and of a create's answer; "" where there is none. */
  path = "";
  /** What a request writes, or a getData has read. */
  data: string | null | undefined = undefined;
  version = -1;
  mode: CreateMode | undefined = undefined;
  watch = false;
  isFinal = false;
  /** The request's fields, where the ones above do not tell it whole. */
  request: JsonObject | undefined = undefined;
  stat: Stat | undefined = undefined;
  children: readonly string[] | undefined = undefined;
  results: readonly SubResult[] | undefined = undefined;

  /** The zxid that a watch event tells, -1 where its server does not; of which session is told by `ofSession`. */
  watchZxid: Zxid = -1;
  ofSession = "";
  /** Of an event of a session's life: what it says. */
  life: SessionEvent | undefined = undefined;

  /** What became of the operation that this event completes. */
  get outcome(): "ok" | "rejected" | "unsent" | "unknown" {
    if (this.type === "info") return "unknown";
    if (this.type === "ok") return "ok";
    return this.zxid >= 0 && errorName.test(this.error) ? "rejected" : "unsent";
  }

  /** Whether a server has answered. */
  get isAnswer(): boolean {
    const { outcome } = this;
    return outcome === "ok" || outcome === "rejected";
  }

  /** Nothing is told yet. */
  clear(): void {
    this.zxid = -1;
    this.session = this.server = this.error = this.path = "";
    this.data = this.mode = this.request = undefined;
    this.version = -1;
    this.watch = this.isFinal = false;
    this.stat = this.children = this.results = this.life = undefined;
  }

  /** What all events have. */
  takeHead(event: Event): void {
    this.index = event.index;
    this.time = event.time;
    this.process = event.process;
    this.type = event.type;
    this.f = event.f;
    this.zxid = event.zxid ?? -1;
    this.session = event.session ?? "";
    this.server = event.server ?? "";
    this.error = event.error ?? "";
  }

  /** The request of an invocation that is of the form of its operation. */
  takeRequest(event: Event, kind: OperationKind): void {
    const { op } = kind;
    const value = event.value as JsonObject;
    const { path, data, version, mode, watch } = value;
    this.kind = kind;
    this.path = typeof path === "string" ? path : "";
    const writes = op === "create" || op === "setData";
    this.data = writes ? (data as string | null) : undefined;
    this.version = typeof version === "number" ? version : -1;
    this.mode = op === "create" ? (mode as CreateMode) : undefined;
    this.watch = watch === true;
    this.isFinal = isFinalRead(event);
    const isTold = kind.isPlain && value["acl"] === undefined && value["ttlMs"] === undefined;
    this.request = isTold ? undefined : value;
  }

  takeWatch(event: Event): void {
    const { path, session, zxid } = parseWatchEvent(event) as ParsedWatchEvent;
    this.path = path;
    this.ofSession = session;
    this.watchZxid = zxid;
  }

  takeLife(event: Event): void {
    this.life = parseSessionEvent(event);
  }

  /** The answer of a completion that is of the form of its operation's answers. */
  takeAnswer(value: Json, op: Op): void {
    const fields = fieldsOf(value);
    this.path = op === "create" && this.type === "ok" ? (fields["path"] as string) : "";
    this.data = op === "getData" ? (fields["data"] as string | null | undefined) : undefined;
    this.stat = fields["stat"] as unknown as Stat | undefined;
    this.children = op === "getChildren" ? (fields["children"] as readonly string[] | undefined) : undefined;
    this.results =
      op === "multi" ? (fields["results"] as unknown as readonly SubResult[] | undefined) : undefined;
  }
}

type ParsedWatchEvent = NonNullable<ReturnType<typeof parseWatchEvent>>;

const noFields: JsonObject = {};

function fieldsOf(value: Json): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : noFields;
}
