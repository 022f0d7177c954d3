import type { Event, Evidence, Json, Zxid } from "../../history.ts";
import { checkedOperation, integer, type JsonObject, objectOf, synced, text } from "./history-fields.ts";
import type {
  SubResult,
  WatchEvent,
  WatchEventType,
  ZnodeAnswer,
  ZnodeRequest,
  ZnodeResult,
} from "./operations.ts";

/*
 * How operations on znodes stand in a history. Whoever drives an ensemble writes this form, and the checkers of
 * ZooKeeper's promises read it.
 *
 * OPERATIONS are events of numbered processes. One process uses one session at a time, one session belongs to one
 * process at a time; a session moves from one connection to the next only together with its process.
 *
 *   invoke  f = the request's `op` ("getData"), or `sync+getData`, `sync+exists`, `sync+getChildren` for a sync
 *           followed by that read on the same connection; value = the request's fields without `op`.
 *   ok      value = the request's fields, overlaid by the result's (data, stat, children, acl, results; the `path`
 *           of a create is the path really created, so read the requested one from the invocation);
 *           evidence zxid, server, session, xid. Of a composite it is the read's reply that counts.
 *   fail    The server answered an error: `error` is its code ("BadVersion"), evidence as for ok, of a multi also
 *           `results` in the value. Or the request was never sent: `error` says why in words, and there is no zxid.
 *   info    Sent and not answered: `error` says why in words; evidence session and xid.
 *
 * A read whose `value` has `final: true` belongs to the final reads, when faults are undone and nobody writes.
 *
 * WATCH EVENTS are events of the process "watches", type info, f = the event's type, value = {path, session, process,
 * watchZxid}; watchZxid is -1 where the server does not tell, and then there is no evidence `zxid`. They are recorded
 * in the order in which the connection delivered them, before any reply that it delivered later.
 *
 * THE LIFE OF SESSIONS is told by events of the process "sessions", type info, evidence session (and server):
 *   connect          {session, process, server, resumed, timeoutMs, lastZxidSeen}
 *   disconnect       {session, process, server, reason}: the connection is gone, and its watches with it
 *   session-expired  {session, process}: a server said so
 */
export const watchesProcess = "watches";
export const sessionsProcess = "sessions";

/** The invocations' names: every operation of a client, and the reads that are preceded by a sync. */
export type ZnodeFunction = ZnodeRequest["op"] | "sync+getData" | "sync+exists" | "sync+getChildren";

/** An event without what the recorder adds (index, time). */
export type EventDraft = Omit<Event, "index" | "time">;

/** What became of a request, as a connection reports it. */
export type ZnodeOutcome =
  | { readonly outcome: "answered"; readonly answer: ZnodeAnswer; readonly xid: number }
  | { readonly outcome: "unsent"; readonly reason: string }
  | { readonly outcome: "unknown"; readonly reason: string; readonly xid: number };

export interface InvocationOptions {
  /** The read is preceded by a sync. */
  readonly synced?: boolean;
  /** The read is one of the final reads. */
  readonly final?: boolean;
}

/** The event that announces a request. */
export function znodeInvocation(
  process: number,
  request: ZnodeRequest,
  options: InvocationOptions = {},
): EventDraft {
  return { process, type: "invoke", f: functionOf(request, options), value: requestValue(request, options) };
}

/** The event that tells what became of a request. */
export function znodeCompletion(
  process: number,
  request: ZnodeRequest,
  outcome: ZnodeOutcome,
  connection: { readonly session: string; readonly server: string },
  options: InvocationOptions = {},
): EventDraft {
  const f = functionOf(request, options);
  const value = requestValue(request, options);
  const { session, server } = connection;
  if (outcome.outcome === "unsent") {
    return { process, type: "fail", f, value, session, server, error: outcome.reason };
  }
  if (outcome.outcome === "unknown") {
    return { process, type: "info", f, value, session, server, xid: outcome.xid, error: outcome.reason };
  }
  const { answer, xid } = outcome;
  const evidence = { zxid: answer.zxid, server, session, xid };
  if (answer.error === null) {
    return { process, type: "ok", f, value: { ...value, ...(answer.result as JsonObject) }, ...evidence };
  }
  const results: JsonObject =
    answer.results === undefined ? {} : { results: answer.results as unknown as Json };
  return { process, type: "fail", f, value: { ...value, ...results }, ...evidence, error: answer.error };
}

/** The event that a watch fired. */
export function watchEventDraft(
  event: WatchEvent,
  connection: { readonly session: string; readonly server: string; readonly process: number },
): EventDraft {
  const { session, server, process } = connection;
  const evidence: Evidence = event.zxid >= 0 ? { zxid: event.zxid, session, server } : { session, server };
  return {
    process: watchesProcess,
    type: "info",
    f: event.type,
    value: { path: event.path, session, process, watchZxid: event.zxid },
    ...evidence,
  };
}

export type SessionEvent =
  | {
      readonly f: "connect";
      readonly session: string;
      readonly process: number;
      readonly server: string;
      readonly resumed: boolean;
      readonly timeoutMs: number;
      readonly lastZxidSeen: Zxid;
    }
  | {
      readonly f: "disconnect";
      readonly session: string;
      readonly process: number;
      readonly server: string;
      readonly reason: string;
    }
  | { readonly f: "session-expired"; readonly session: string; readonly process: number };

/** The event of a session's life. */
export function sessionEventDraft(event: SessionEvent): EventDraft {
  const { f, ...value } = event;
  const server = event.f === "session-expired" ? {} : { server: event.server };
  return { process: sessionsProcess, type: "info", f, value, session: event.session, ...server };
}

/** What a watch event in a history says; undefined for other events. Throws InputError where fields are missing. */
export function parseWatchEvent(
  event: Event,
): { type: WatchEventType; path: string; session: string; process: number; zxid: Zxid } | undefined {
  if (event.process !== watchesProcess) return undefined;
  const fields = objectOf(event);
  return {
    type: event.f as WatchEventType,
    path: text(event, fields, "path"),
    session: text(event, fields, "session"),
    process: integer(event, fields, "process"),
    zxid: integer(event, fields, "watchZxid"),
  };
}

/** What an event of a session's life says; undefined for other events. Throws InputError where fields are missing. */
export function parseSessionEvent(event: Event): SessionEvent | undefined {
  if (event.process !== sessionsProcess) return undefined;
  const fields = objectOf(event);
  const session = text(event, fields, "session");
  const process = integer(event, fields, "process");
  switch (event.f) {
    case "connect":
      return {
        f: "connect",
        session,
        process,
        server: text(event, fields, "server"),
        resumed: fields["resumed"] === true,
        timeoutMs: integer(event, fields, "timeoutMs"),
        lastZxidSeen: integer(event, fields, "lastZxidSeen"),
      };
    case "disconnect":
      return {
        f: "disconnect",
        session,
        process,
        server: text(event, fields, "server"),
        reason: typeof fields["reason"] === "string" ? fields["reason"] : "",
      };
    case "session-expired":
      return { f: "session-expired", session, process };
    default:
      return undefined;
  }
}

/** The request of an invocation; see `checkedOperation`. */
export function parseZnodeRequest(event: Event): ZnodeRequest | undefined {
  const op = checkedOperation(event);
  return op === undefined ? undefined : ({ ...(event.value as JsonObject), op } as unknown as ZnodeRequest);
}

/** The result of an `ok` completion. */
export function parseZnodeResult(event: Event): ZnodeResult {
  return objectOf(event) as unknown as ZnodeResult;
}

/** The `results` of a multi's completion, ok or failed. */
export function multiResults(event: Event): readonly SubResult[] | undefined {
  const results = (event.value as JsonObject | null)?.["results"];
  return Array.isArray(results) ? (results as unknown as readonly SubResult[]) : undefined;
}

export function isFinalRead(invocation: Event): boolean {
  return (invocation.value as JsonObject | null)?.["final"] === true;
}

function functionOf(request: ZnodeRequest, options: InvocationOptions): string {
  return options.synced === true ? `${synced}${request.op}` : request.op;
}

function requestValue(request: ZnodeRequest, options: InvocationOptions): JsonObject {
  const { op: _, ...fields } = request;
  const value = fields as unknown as JsonObject;
  return options.final === true ? { ...value, final: true } : value;
}
