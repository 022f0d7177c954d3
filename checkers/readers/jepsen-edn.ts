import { InputError, type Event, type EventType, type Json } from "../../model/light.ts";
import { EdnError, parseEdn } from "./edn.ts";
import { EdnForms, type TopForm } from "./edn-forms.ts";
import { EventList } from "./event-list.ts";
import { textBytesMax, type History, type HistoryReader } from "./history-reader.ts";
import { Lines } from "./lines.ts";
import { Texts } from "./texts.ts";

const eventTypes: ReadonlySet<unknown> = new Set<EventType>(["invoke", "ok", "fail", "info"]);

/**
 * Reads Jepsen's and Knossos's histories in EDN: one map an event, tagged (`#jepsen.history.Op{...}`) or not, one a
 * line or all in one vector or list. Porcupine's key-value logs are such files, too; their `:key` and `:value` become
 * {key, value}. Events of a nemesis stay; an `info` that completes nothing is no operation.
 */
export class JepsenEdnReader implements HistoryReader {
  readonly #file: string;
  readonly #lines: Lines;
  readonly #forms: EdnForms = new EdnForms();
  readonly #list: EventList;
  readonly #open: Set<number | string> = new Set();
  readonly #texts: Texts = new Texts();
  #stray: number = 0;

  constructor(file: string) {
    this.#file = file;
    this.#lines = new Lines(file);
    this.#list = new EventList(file);
  }

  write(chunk: Uint8Array): void {
    this.#lines.write(chunk, (line) => this.#line(line));
  }

  end(): History {
    this.#lines.end((line) => this.#line(line));
    const { unfinished } = this.#forms;
    if (unfinished !== undefined) {
      throw this.#broken(
        unfinished.line,
        `the file ends within ${unfinished.what} that begins here; expected its end`,
      );
    }
    if (this.#list.events.length === 0) throw this.#broken(1, "there is no event; expected a history in EDN");
    const warnings = this.#list.warnings();
    if (this.#stray > 0) {
      warnings.push(
        `${this.#file}: ${String(this.#stray)} info events that complete no operation were left out`,
      );
    }
    return {
      format: "jepsen-edn",
      events: this.#list.events,
      warnings,
      locate: (event: Event) => this.#list.locate(event),
    };
  }

  #line(text: string): void {
    const problem = this.#forms.line(text, this.#lines.line, (form) => this.#form(form));
    if (problem !== undefined) throw this.#broken(this.#lines.line, problem);
    if (this.#forms.pending > textBytesMax) {
      throw this.#broken(this.#lines.line, `an event is longer than ${String(textBytesMax)} bytes`);
    }
  }

  #form(form: TopForm): void {
    let parsed: Json;
    try {
      parsed = parseEdn(form.text, this.#texts);
    } catch (error) {
      if (!(error instanceof EdnError)) throw error;
      const line = form.line + (form.text.slice(0, error.at).match(/\n/g)?.length ?? 0);
      throw this.#broken(line, `this is no EDN: ${error.message}`);
    }
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
      throw this.#broken(form.line, "expected a map {:process ..., :type ..., :f ...}");
    }
    this.#event(parsed as { readonly [key: string]: Json }, form.line);
  }

  #event(map: { readonly [key: string]: Json }, line: number): void {
    const type = this.#nameOf(map["type"]);
    if (!eventTypes.has(type))
      throw this.#broken(line, `:type is ${shown(map["type"])}; expected :invoke, :ok, :fail or :info`);
    const process = typeof map["process"] === "number" ? map["process"] : this.#nameOf(map["process"]);
    if (process === undefined)
      throw this.#broken(line, `:process is ${shown(map["process"])}; expected a number or a name`);
    const f = this.#nameOf(map["f"]);
    if (f === undefined) throw this.#broken(line, `:f is ${shown(map["f"])}; expected the operation's name`);
    const time = map["time"];
    if (time !== undefined && time !== null && typeof time !== "number") {
      throw this.#broken(line, `:time is ${shown(time)}; expected a number of nanoseconds`);
    }
    const value = map["value"] ?? null;
    if (type === "invoke") this.#open.add(process);
    else if (!this.#open.delete(process) && type === "info" && process !== "nemesis") {
      this.#stray++;
      this.#list.skip(line);
      return;
    }
    this.#list.add(
      {
        process,
        type: type as EventType,
        f,
        value: map["key"] === undefined ? value : { key: map["key"], value },
        time: typeof time === "number" ? time : undefined,
        ...(map["error"] === undefined ? {} : { error: shown(map["error"]) }),
      },
      line,
    );
  }

  /** A keyword or text as a name. */
  #nameOf(value: Json | undefined): string | undefined {
    if (typeof value !== "string" || value === "" || value === ":") return undefined;
    return value.startsWith(":") ? this.#texts.own(value.slice(1)) : value;
  }

  #broken(line: number, what: string): InputError {
    return new InputError(
      `${this.#file}:${String(line)}: ${what}`,
      "Give a history of Jepsen in EDN, one map an event, or say what it is with --format.",
    );
  }
}

function shown(value: Json | undefined): string {
  const text = value === undefined ? "missing" : JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 60)}...`;
}
