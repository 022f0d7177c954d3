import { InputError } from "./errors.ts";
import type { Event, Operation } from "./history.ts";

/** How an event is named in messages: readers of files say file and line. */
export type LocateEvent = (event: Event) => string;

export const byIndex: LocateEvent = (event) => `event ${event.index}`;

/**
 * The rules of a history, checked event by event: indexes rise, times do not run back, a completion has its
 * invocation, and a process has one operation open at a time.
 *
 * Processes with a name ("faults", "watches") may tell something, by an `info`, without having invoked it. After an
 * `info` completion a process may go on: the operation counts as open for ever all the same.
 */
export class HistoryRules {
  readonly #open = new Map<number | string, Event>();
  #last: Event | undefined;

  /** The invocation that the event completes; undefined where it completes none. Throws InputError where a rule breaks. */
  check(event: Event, locate: LocateEvent = byIndex): Event | undefined {
    const last = this.#last;
    if (last !== undefined) {
      if (event.index <= last.index) {
        throw broken(
          locate(event),
          `index ${event.index} follows index ${last.index}; expected a greater one`,
        );
      }
      if (event.time < last.time) {
        throw broken(
          locate(event),
          `time runs back from ${last.time} to ${event.time}; expected no smaller one`,
        );
      }
    }
    this.#last = event;
    const open = this.#open.get(event.process);
    if (event.type === "invoke") {
      if (open !== undefined) {
        const found = `process ${event.process} invokes ${event.f} while its ${open.f} of event ${open.index} is open`;
        throw broken(locate(event), `${found}; expected its completion first`);
      }
      this.#open.set(event.process, event);
      return undefined;
    }
    if (open === undefined) {
      if (event.type === "info" && typeof event.process === "string") return undefined;
      const found = `${event.type} ${event.f} of process ${event.process} completes nothing`;
      throw broken(locate(event), `${found}; expected an invocation before it`);
    }
    if (open.f !== event.f) {
      const found = `${event.type} ${event.f} of process ${event.process} follows its invocation of ${open.f}`;
      throw broken(locate(event), `${found}; expected a completion of ${open.f}`);
    }
    this.#open.delete(event.process);
    return open;
  }
}

/**
 * The operations of a history in order of their invocations, each with its completion. Events that belong to no
 * operation (watch events, the life of sessions) are left out. Throws InputError where the history breaks a rule.
 */
export function pairOperations(events: Iterable<Event>, locate: LocateEvent = byIndex): Operation[] {
  const rules = new HistoryRules();
  const operations: {
    process: number | string;
    f: string;
    invocation: Event;
    completion: Event | undefined;
  }[] = [];
  const at = new Map<number | string, number>();
  for (const event of events) {
    const invocation = rules.check(event, locate);
    if (event.type === "invoke") {
      at.set(event.process, operations.length);
      operations.push({ process: event.process, f: event.f, invocation: event, completion: undefined });
    } else if (invocation !== undefined) {
      const operation = operations[at.get(event.process) ?? -1];
      if (operation !== undefined) operation.completion = event;
    }
  }
  return operations;
}

function broken(where: string, what: string): InputError {
  return new InputError(`${where}: ${what}`, "repair the history, or record it again");
}
