import type { Event, EventType, Json, Stat } from "../history.ts";
import { nameOf, type Identity } from "./identity.ts";
import { FiniteSet, ModelError, type Value } from "./value.ts";

/*
 * HISTORIES OUT OF MODELS. A model may record what its clients call and are answered, in a variable that nothing else
 * reads; the history checkers then judge it like that of a run (checkers/model-histories).
 *
 *   next.history = invoke(now.history, client, "getData", { path });
 *   next.history = complete(now.history, client, "ok", { path, data }, { zxid, server, session: client });
 *
 * A history is a ghost: it depends on the way to a state, and no action may depend on it. Left out of the states'
 * identity it costs no states, and one history is kept for each state, that of the way on which it was found first.
 * As part of their identity, which is how histories are judged unless told otherwise, a state is met once for each
 * history that leads to it: every history that any run leaves within the bounds is then seen.
 */

/**
 * An event as a model records it. Identities stand for processes, servers and sessions (a number for one that is not of
 * the model); index and time are the place.
 */
export type RecordedEvent = {
  readonly process: Identity | number;
  readonly type: EventType;
  readonly f: string;
  readonly value: Value;
  readonly zxid?: number;
  readonly server?: Identity;
  readonly session?: Identity | number;
  readonly error?: string;
};

/**
 * A history is kept up to what real time tells: which operation ended before which began (Herlihy & Wing, TOPLAS 12(3),
 * 1990, §2.2). Of invocations that follow each other without a completion in between nobody can tell the order, nor of
 * such completions: they stand together.
 */
export type RecordedHistory = readonly FiniteSet<RecordedEvent>[];

export type RecordedEvidence = Pick<RecordedEvent, "zxid" | "server" | "session" | "error">;

/** Which variable records a history, and what each history must be found to satisfy. */
export interface HistoryDeclaration<State> {
  readonly variable: keyof State & string;
  readonly promises: readonly HistoryPromise[];
}

/** A property of histories, by the checker that judges it. */
export interface HistoryPromise {
  readonly name: string;
  /** What `zabcheck check --as` calls the checker. */
  readonly as: string;
  /** Which of its verdicts, where it gives several. */
  readonly verdict?: string;
  /** As in `zabcheck check --initial`. */
  readonly initial?: Json;
  /** Only these operations are judged; all, where absent. */
  readonly only?: readonly string[];
  /** A figure that the checker counts: what is known and no violation, but worth an example. */
  readonly anomaly?: string;
}

/** The history after a client has begun an operation. */
export function invoke(
  history: RecordedHistory,
  process: Identity | number,
  f: string,
  value: Value = null,
  evidence: RecordedEvidence = {},
): RecordedHistory {
  return append(history, { process, type: "invoke", f, value, ...evidence });
}

/** The history after the client's operation has ended. Throws ModelError where none is open. */
export function complete(
  history: RecordedHistory,
  process: Identity | number,
  type: Exclude<EventType, "invoke">,
  value: Value = null,
  evidence: RecordedEvidence = {},
): RecordedHistory {
  const open = lastOf(history, process);
  if (open?.type !== "invoke") throw new ModelError(`process ${numberOf(process)} completes nothing`);
  return append(history, { process, type, f: open.f, value, ...evidence });
}

function append(history: RecordedHistory, event: RecordedEvent): RecordedHistory {
  const last = history.at(-1);
  const isAlike = last?.some(({ type }) => (type === "invoke") === (event.type === "invoke"));
  return last !== undefined && isAlike === true
    ? [...history.slice(0, -1), last.with(event)]
    : [...history, new FiniteSet([event])];
}

function lastOf(history: RecordedHistory, process: Identity | number): RecordedEvent | undefined {
  for (const events of history.toReversed()) {
    const event = events.find((each) => each.process === process);
    if (event !== undefined) return event;
  }
  return undefined;
}

/** The recorded history in the common form: "c2" becomes process 2, its session "0x2"; an event's time is its index. */
export function eventsOf(history: RecordedHistory): readonly Event[] {
  const inOrder = history.flatMap((together) =>
    [...together].toSorted((a, b) => numberOf(a.process) - numberOf(b.process)),
  );
  return inOrder.map(({ process, type, f, value, session, server, ...evidence }, index) => ({
    index,
    time: index,
    process: numberOf(process),
    type,
    f,
    value: jsonOf(value),
    ...evidence,
    ...(session === undefined ? {} : { session: `0x${numberOf(session).toString(16)}` }),
    ...(server === undefined ? {} : { server: nameOf(server) }),
  }));
}

function numberOf(identity: Identity | number): number {
  return typeof identity === "number" ? identity : Number(/\d+$/.exec(nameOf(identity))?.[0] ?? 0);
}

function jsonOf(value: Value): Json {
  if (typeof value === "symbol") return nameOf(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof FiniteSet) return [...value].map(jsonOf);
  if (Array.isArray(value)) return (value as readonly Value[]).map(jsonOf);
  const fields = Object.entries(value as { readonly [name: string]: Value });
  return Object.fromEntries(fields.map(([name, field]) => [name, jsonOf(field)]));
}

/** The Stat of a znode that was created at a zxid and written since, as answers carry it; nothing else is told. */
export function plainStat(czxid: number, mzxid: number, version: number, dataLength: number): Stat {
  const none = { ctime: 0, mtime: 0, cversion: 0, aversion: 0, numChildren: 0 };
  return { ...none, czxid, mzxid, pzxid: czxid, version, ephemeralOwner: "0x0", dataLength };
}
