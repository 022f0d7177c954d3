import type { Event, EventType, Json } from "../../model/light.ts";

/** An event as a foreign format has it. */
export interface ForeignEvent {
  readonly process: number | string;
  readonly type: EventType;
  readonly f: string;
  readonly value: Json;
  /** Undefined where the format has no clock: then the order of the lines is all that counts. */
  readonly time: number | undefined;
  readonly error?: string;
}

const nextInstant = 1 / 1024;

/**
 * Collects the events of a foreign history in the order of its lines, with the line of each. Jepsen's order is that
 * of its lines: where its clock runs back, an event counts as a little later than the one before, with a warning.
 */
export class EventList {
  readonly events: Event[] = [];
  readonly #lines: number[] = [];
  readonly #file: string;
  #last: number = 0;
  #ranBack: { line: number; count: number } | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Leaves out an event; indexes count it. */
  skip(line: number): void {
    this.#lines.push(line);
  }

  add(event: ForeignEvent, line: number): void {
    const index = this.#lines.length;
    let time = event.time ?? index;
    if (this.events.length > 0 && time < this.#last) {
      if (Number.isInteger(this.#last) || time < Math.floor(this.#last)) {
        this.#ranBack = { line: this.#ranBack?.line ?? line, count: (this.#ranBack?.count ?? 0) + 1 };
      }
      time = this.#last + nextInstant;
    }
    this.#last = time;
    const { process, type, f, value, error } = event;
    this.events.push({ index, time, process, type, f, value, ...(error === undefined ? {} : { error }) });
    this.#lines.push(line);
  }

  warnings(): string[] {
    if (this.#ranBack === undefined) return [];
    const { line, count } = this.#ranBack;
    return [
      `${this.#file}:${String(line)}: the clock runs back here${count > 1 ? ` and ${String(count - 1)} times more` : ""}; the order of the lines was taken instead`,
    ];
  }

  locate(event: Event): string {
    return `${this.#file}:${String(this.#lines[event.index] ?? "?")}`;
  }
}
