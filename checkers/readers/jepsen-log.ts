import { InputError, type Event, type EventType, type Json } from "../../model/light.ts";
import { EdnError, parseFirstEdn } from "./edn.ts";
import { EventList } from "./event-list.ts";
import type { History, HistoryReader } from "./history-reader.ts";
import { Lines } from "./lines.ts";
import { Texts } from "./texts.ts";

/** "INFO  jepsen.util - 4	:invoke	:read	nil", and the same with a date, a thread and a colon, as newer releases have it. */
const eventLine =
  /\bjepsen\.(?:util|core|interpreter|generator\.interpreter)\s*[-:]?\s+(:?[\w.-]+)\s+:(invoke|ok|fail|info)\s+:(\S+)(?:\s+(.*))?$/;

/**
 * Reads Jepsen's log as text, of which only the lines that tell an operation count. There is no clock: the order of
 * the lines is that of the events. A last line without a line feed is taken for whole, with a warning, as nothing in
 * the format tells. What does not stand for a value (`:timed-out`) is the reason of an `info` or `fail`.
 */
export class JepsenLogReader implements HistoryReader {
  readonly #file: string;
  readonly #lines: Lines;
  readonly #list: EventList;
  readonly #open: Set<number | string> = new Set();
  readonly #texts: Texts = new Texts();

  constructor(file: string) {
    this.#file = file;
    this.#lines = new Lines(file);
    this.#list = new EventList(file);
  }

  write(chunk: Uint8Array): void {
    this.#lines.write(chunk, (line) => this.#line(line));
  }

  end(): History {
    let unended: number | undefined;
    this.#lines.end((line) => {
      unended = this.#lines.line;
      this.#line(line);
    });
    if (this.#list.events.length === 0) {
      throw new InputError(
        `${this.#file}:1: no line tells of an operation; expected Jepsen's log ("INFO  jepsen.util - 0 :invoke :read nil")`,
        "Say what the file is with --format.",
      );
    }
    const warnings = this.#list.warnings();
    if (unended !== undefined) {
      const what =
        "the last line has no line feed: if it is cut off, what it says and the verdict may be wrong";
      warnings.push(`${this.#file}:${String(unended)}: ${what}`);
    }
    return {
      format: "jepsen-log",
      events: this.#list.events,
      warnings,
      locate: (event: Event) => this.#list.locate(event),
    };
  }

  #line(text: string): void {
    const match = eventLine.exec(text);
    if (match === null) return;
    const [, name, type, f, rest] = match as unknown as [
      string,
      string,
      EventType,
      string,
      string | undefined,
    ];
    const process = /^\d+$/.test(name) ? Number(name) : this.#texts.own(name.replace(/^:/, ""));
    if (type === "invoke") this.#open.add(process);
    else if (!this.#open.delete(process) && type === "info") return;
    const value = this.#value(rest ?? "nil");
    const own = (text: string): string => this.#texts.own(text);
    this.#list.add(
      { process, type: own(type) as EventType, f: own(f), value, time: undefined },
      this.#lines.line,
    );
  }

  #value(text: string): Json {
    try {
      return parseFirstEdn(text.trim() === "" ? "nil" : text, this.#texts);
    } catch (error) {
      if (!(error instanceof EdnError)) throw error;
      throw new InputError(
        `${this.#file}:${String(this.#lines.line)}: the value ${text.slice(0, 60)} is no EDN: ${error.message}`,
        "Is the log cut off or edited?",
      );
    }
  }
}
