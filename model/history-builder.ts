import type { Event, EventType, Evidence, Json } from "./history.ts";
import { HistoryRules } from "./history-operations.ts";

/**
 * Builds a history event by event: numbers it, keeps time (one nanosecond an event unless told), and refuses what
 * breaks a history's rules (InputError).
 *
 * @example
 * new HistoryBuilder().invoke(0, "write", 1).invoke(1, "read").ok(1, 1).info(0).events
 */
export class HistoryBuilder {
  readonly #events: Event[] = [];
  readonly #rules = new HistoryRules();
  readonly #open = new Map<number | string, Event>();
  #time = 0;

  get events(): readonly Event[] {
    return this.#events;
  }

  /** Sets the time of the next event, in ns; the ones after it count on from there. */
  at(time: number): this {
    this.#time = time;
    return this;
  }

  invoke(process: number | string, f: string, value: Json = null, evidence: Evidence = {}): this {
    return this.add({ process, type: "invoke", f, value, ...evidence });
  }

  /** Completes the open operation of the process; without a value, with the invocation's. */
  ok(process: number | string, value?: Json, evidence: Evidence = {}): this {
    return this.#complete(process, "ok", value, evidence);
  }

  fail(process: number | string, value?: Json, evidence: Evidence = {}): this {
    return this.#complete(process, "fail", value, evidence);
  }

  info(process: number | string, value?: Json, evidence: Evidence = {}): this {
    return this.#complete(process, "info", value, evidence);
  }

  /** Appends an event of any kind; its index and time are set here. */
  add(event: Omit<Event, "index" | "time">): this {
    const { process, type, f, value, ...evidence } = event;
    const whole: Event = {
      index: this.#events.length,
      time: this.#time,
      process,
      type,
      f,
      value,
      ...evidence,
    };
    this.#rules.check(whole);
    if (type === "invoke") this.#open.set(process, whole);
    else this.#open.delete(process);
    this.#events.push(whole);
    this.#time++;
    return this;
  }

  #complete(process: number | string, type: EventType, value: Json | undefined, evidence: Evidence): this {
    const open = this.#open.get(process);
    return this.add({
      process,
      type,
      f: open?.f ?? "unknown",
      value: value === undefined ? (open?.value ?? null) : value,
      ...evidence,
    });
  }
}
