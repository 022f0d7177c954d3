import { InputError } from "./errors.ts";
import type { Event, Operation } from "./history.ts";

/** How an event is named in messages: readers of files say file and line. */
export type LocateEvent = (event: Event) => string;

export function byIndex(event: EventHead): string {
  return `event ${event.index}`;
}

/** What of an event the rules look at. */
export type EventHead = Pick<Event, "index" | "time" | "process" | "type" | "f">;

/** A process as the rules see it: whether an invocation is open and which, with what the caller makes of it. */
interface Slot<Item> {
  isOpen: boolean;
  f: string;
  index: number;
  item: Item | undefined;
}

/**
 * The rules of a history, checked event by event: indexes rise, times do not run back, a completion has its
 * invocation, and a process has one operation open at a time.
 *
 * Processes with a name ("faults", "watches") may tell something, by an `info`, without having invoked it. After an
 * `info` completion a process may go on: the operation counts as open for ever all the same.
 */
export class HistoryRules<Item = Event, Head extends EventHead = Event> {
  readonly #slots = new Map<number | string, Slot<Item>>();
  readonly #locate: (event: Head) => string;
  readonly #open: (invocation: Head) => Item;
  #index = -1;
  #time = -Infinity;

  /** `open` makes of an invocation what its completion is to be told with: unless given, the invocation itself. */
  constructor(
    locate: (event: Head) => string = byIndex,
    open: (invocation: Head) => Item = (event) => event as unknown as Item,
  ) {
    this.#locate = locate;
    this.#open = open;
  }

  /** What was made of the invocation that the event completes; undefined where it completes none. Throws InputError where a rule breaks. */
  check(event: Head): Item | undefined {
    if (event.index <= this.#index) {
      throw this.#broken(event, `index ${event.index} follows index ${this.#index}; expected a greater one`);
    }
    if (event.time < this.#time) {
      throw this.#broken(
        event,
        `time runs back from ${this.#time} to ${event.time}; expected no smaller one`,
      );
    }
    this.#index = event.index;
    this.#time = event.time;
    let slot = this.#slots.get(event.process);
    if (event.type === "invoke") {
      if (slot === undefined) {
        slot = { isOpen: false, f: "", index: 0, item: undefined };
        this.#slots.set(event.process, slot);
      }
      if (slot.isOpen) {
        const found = `process ${event.process} invokes ${event.f} while its ${slot.f} of event ${slot.index} is open`;
        throw this.#broken(event, `${found}; expected its completion first`);
      }
      slot.isOpen = true;
      slot.f = event.f;
      slot.index = event.index;
      slot.item = this.#open(event);
      return undefined;
    }
    if (slot === undefined || !slot.isOpen) {
      if (event.type === "info" && typeof event.process === "string") return undefined;
      const found = `${event.type} ${event.f} of process ${event.process} completes nothing`;
      throw this.#broken(event, `${found}; expected an invocation before it`);
    }
    if (slot.f !== event.f) {
      const found = `${event.type} ${event.f} of process ${event.process} follows its invocation of ${slot.f}`;
      throw this.#broken(event, `${found}; expected a completion of ${slot.f}`);
    }
    const { item } = slot;
    slot.isOpen = false;
    slot.item = undefined;
    return item;
  }

  #broken(event: Head, what: string): InputError {
    return new InputError(`${this.#locate(event)}: ${what}`, "repair the history, or record it again");
  }
}

/**
 * The operations of a history in order of their invocations, each with its completion. Events that belong to no
 * operation (watch events, the life of sessions) are left out. Throws InputError where the history breaks a rule.
 */
export function pairOperations(events: Iterable<Event>, locate: LocateEvent = byIndex): Operation[] {
  const operations: {
    process: number | string;
    f: string;
    invocation: Event;
    completion: Event | undefined;
  }[] = [];
  const rules = new HistoryRules(locate, (invocation) => {
    const { process, f } = invocation;
    const operation = { process, f, invocation, completion: undefined as Event | undefined };
    operations.push(operation);
    return operation;
  });
  for (const event of events) {
    const operation = rules.check(event);
    if (operation !== undefined) operation.completion = event;
  }
  return operations;
}
