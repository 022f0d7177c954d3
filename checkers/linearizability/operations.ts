import { InputError, type Event, type Json } from "../../model/light.ts";

/**
 * An operation as the checkers of this folder see it: a call with the closed interval in which it took effect.
 *
 * `call` and `return` are ranks in the order of the history's events (equal times: invocations first), `return` is
 * Infinity for an operation that was never answered. Operations that certainly did not happen are not among them.
 */
export interface TimedOperation {
  readonly process: number | string;
  readonly f: string;
  readonly argument: Json;
  /** Undefined when the operation was never answered. */
  readonly result: Json | undefined;
  readonly call: number;
  readonly return: number;
  readonly invocation: Event;
  readonly completion: Event | undefined;
}

/** Processes whose events are no operations of clients. */
const bystanders: ReadonlySet<string> = new Set(["faults", "watches", "nemesis"]);

/** How an event is named in messages; readers override it with file and line. */
export type Locate = (event: Event) => string;

const byIndex: Locate = (event) => `event ${String(event.index)}`;

/**
 * Pairs invocations with completions. `ok` gives an answered operation, `info` or nothing an unanswered one, `fail` none.
 *
 * Throws InputError for a completion without an invocation, a second open operation of one process, a completion of
 * another function than the invocation's, and times that are no finite numbers or run back.
 */
export function operationsOf(events: readonly Event[], locate: Locate = byIndex): TimedOperation[] {
  const ordered = inOrder(events, locate);
  const ranks = rank(ordered);
  const open = new Map<number | string, number>();
  const operations: (Building | undefined)[] = [];
  for (let position = 0; position < ordered.length; position++) {
    const event = ordered[position] as Event;
    if (typeof event.process === "string" && bystanders.has(event.process)) continue;
    const at = ranks === undefined ? position : (ranks[position] as number);
    const pending = open.get(event.process);
    if (event.type === "invoke") {
      if (pending !== undefined && pending !== none)
        throw twoOpen(event, (operations[pending] as TimedOperation).invocation, locate);
      open.set(event.process, operations.length);
      operations.push(opened(event, at));
      continue;
    }
    if (pending === undefined || pending === none) throw withoutInvocation(event, locate);
    open.set(event.process, none);
    const operation = operations[pending] as Building;
    if (operation.f !== event.f) throw otherFunction(event, operation.invocation, locate);
    if (event.type === "fail") {
      operations[pending] = undefined;
      continue;
    }
    operation.completion = event;
    if (event.type !== "ok") continue;
    operation.result = event.value;
    operation.return = at;
  }
  const happened = operations.filter((operation) => operation !== undefined);
  if (ranks !== undefined) happened.sort((a, b) => a.call - b.call);
  return happened;
}

/** In place of an operation: the process has none open. */
const none = -1;

/** An operation until its completion is met. */
type Building = { -readonly [field in keyof TimedOperation]: TimedOperation[field] };

function opened(event: Event, at: number): Building {
  return {
    process: event.process,
    f: event.f,
    argument: event.value,
    result: undefined,
    call: at,
    return: Infinity,
    invocation: event,
    completion: undefined,
  };
}

function inOrder(events: readonly Event[], locate: Locate): readonly Event[] {
  let last = -Infinity;
  for (const event of events) {
    if (!Number.isFinite(event.time)) {
      throw new InputError(
        `${locate(event)}: the time ${String(event.time)} is no number`,
        "Give each event its time in nanoseconds.",
      );
    }
    if (event.time < last) {
      throw new InputError(
        `${locate(event)}: the clock runs back from ${String(last)} to ${String(event.time)}`,
        "Events must stand in the order of their times; a history merged from several machines needs one clock.",
      );
    }
    last = event.time;
  }
  return events;
}

/** Ranks with invocations before completions at equal times; undefined when the given order is already so. */
function rank(events: readonly Event[]): Int32Array | undefined {
  let inverted = false;
  for (let at = 1; at < events.length && !inverted; at++) {
    const [before, event] = [events[at - 1] as Event, events[at] as Event];
    inverted = event.type === "invoke" && before.type !== "invoke" && before.time === event.time;
  }
  if (!inverted) return undefined;
  const order = events.map((_, at) => at);
  const kind = (at: number): number => ((events[at] as Event).type === "invoke" ? 0 : 1);
  order.sort((a, b) => (events[a] as Event).time - (events[b] as Event).time || kind(a) - kind(b) || a - b);
  const ranks = new Int32Array(events.length);
  order.forEach((at, position) => (ranks[at] = position));
  return ranks;
}

function twoOpen(event: Event, earlier: Event, locate: Locate): InputError {
  return new InputError(
    `${locate(event)}: process ${String(event.process)} invokes ${event.f} while its ${earlier.f} (${locate(earlier)}) is open`,
    "A process has one operation at a time; complete the first with ok, fail or info, or give the second another process.",
  );
}

function withoutInvocation(event: Event, locate: Locate): InputError {
  return new InputError(
    `${locate(event)}: process ${String(event.process)} completes ${event.f} (${event.type}) without an open invocation`,
    "Each completion needs an earlier invoke of the same process; is the beginning of the history missing?",
  );
}

function otherFunction(event: Event, invocation: Event, locate: Locate): InputError {
  return new InputError(
    `${locate(event)}: process ${String(event.process)} completes ${event.f}, but it had invoked ${invocation.f} (${locate(invocation)})`,
    "A completion repeats the f of its invocation.",
  );
}
