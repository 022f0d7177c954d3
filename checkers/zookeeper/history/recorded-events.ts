import type { Event } from "../../../model/index.ts";
import { firstThat } from "../../ascending.ts";

/** A history's events by their index, wherever they are kept. */
export interface RecordedEvents {
  /** The event of an index that the history has. */
  at(index: number): Event;
  /** Its time, in ns. */
  timeAt(index: number): number;
}

/** An event of a history, to be read where it is shown. */
export class EventReference {
  readonly index: number;
  readonly #events: RecordedEvents;

  constructor(events: RecordedEvents, index: number) {
    this.#events = events;
    this.index = index;
  }

  read(): Event {
    return this.#events.at(this.index);
  }
}

/** Events that are in memory, in the order of their indexes. */
export class ListedEvents implements RecordedEvents {
  readonly #events: readonly Event[];

  constructor(events: readonly Event[]) {
    this.#events = events;
  }

  at(index: number): Event {
    const straight = this.#events[index];
    if (straight?.index === index) return straight;
    const events = this.#events;
    return events[firstThat(events.length, (at) => (events[at] as Event).index >= index)] as Event;
  }

  timeAt(index: number): number {
    return this.at(index).time;
  }
}
