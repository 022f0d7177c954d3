import { InputError, type Event, type Json } from "../../model/light.ts";
import type { History, HistoryReader } from "./history-reader.ts";
import { Lines } from "./lines.ts";

interface Recorded {
  readonly client: number;
  readonly f: string;
  readonly argument: Json;
  /** Undefined where the client saw an error that leaves the outcome open. */
  readonly result: Json | undefined;
  readonly call: number;
  readonly return: number;
  readonly line: number;
}

/**
 * Reads the operations of a report of etcd's robustness tests (`client-N/operations.json`: one JSON object a line with
 * ClientId, Input, Call, Output, Return; times in ns). Several files make one history: write each, then `nextFile`.
 * Watch responses (`watch.json`) and server data are not read.
 */
export class EtcdReportReader implements HistoryReader {
  #file: string;
  #lines: Lines;
  readonly #recorded: (Recorded & { readonly file: string })[] = [];

  constructor(file: string) {
    this.#file = file;
    this.#lines = new Lines(file);
  }

  write(chunk: Uint8Array): void {
    this.#lines.write(chunk, (line) => this.#line(line));
  }

  /** What is written from now on is another client's file of the same report. */
  nextFile(file: string): void {
    this.#lines.end((line) => this.#line(line));
    this.#file = file;
    this.#lines = new Lines(file);
  }

  end(): History {
    this.#lines.end((line) => this.#line(line));
    if (this.#recorded.length === 0) throw this.#broken(1, "there is no operation; expected etcd's report");
    const places: string[] = [];
    const events = inOrder(this.#recorded).map(({ event, place }, index) => {
      places.push(place);
      return { ...event, index };
    });
    const clients = new Set(this.#recorded.map(({ file }) => file)).size;
    const warnings =
      clients === 1
        ? [
            `${this.#file}: one file of operations; a report has one for each client, give its directory to judge all`,
          ]
        : [];
    return {
      format: "etcd-report",
      events,
      warnings,
      locate: (event: Event) => places[event.index] ?? this.#file,
    };
  }

  #line(text: string): void {
    if (text.trim() === "") return;
    const line = this.#lines.line;
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      throw this.#broken(line, "this is no JSON");
    }
    const { ClientId: client, Input: input, Call: call, Output: output, Return: end } = fields(parsed);
    if (typeof client !== "number" || typeof call !== "number" || typeof end !== "number") {
      throw this.#broken(line, "ClientId, Call or Return is no number");
    }
    const request = fields(input);
    const f = request["Type"];
    if (typeof f !== "string") throw this.#broken(line, "Input.Type is missing");
    const argument = request[f.charAt(0).toUpperCase() + f.slice(1)];
    const response = fields(output);
    const isOpen = end === 0 || textOrNone(response["Error"]) !== "";
    // An answer that says the request was refused tells that nothing happened.
    if (!isOpen && textOrNone(response["ClientError"]) !== "") return;
    if (!isOpen && end < call)
      throw this.#broken(line, `the clock runs back: Return ${String(end)} is before Call ${String(call)}`);
    const result = isOpen ? undefined : (response as Json);
    this.#recorded.push({
      client,
      f,
      argument: (argument ?? null) as Json,
      result,
      call,
      return: end,
      line,
      file: this.#file,
    });
  }

  #broken(line: number, what: string): InputError {
    return new InputError(
      `${this.#file}:${String(line)}: ${what}; expected {"ClientId", "Input", "Call", "Output", "Return"}`,
      "Give operations.json of etcd's robustness tests, or the directory of the report.",
    );
  }
}

function fields(value: unknown): { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null ? (value as { readonly [name: string]: unknown }) : {};
}

function textOrNone(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function inOrder(
  recorded: readonly (Recorded & { readonly file: string })[],
): { readonly event: Omit<Event, "index">; readonly place: string }[] {
  const events = recorded.flatMap((operation) => {
    const place = `${operation.file}:${String(operation.line)}`;
    const common = { process: operation.client, f: operation.f };
    const invoke = {
      event: { ...common, time: operation.call, type: "invoke" as const, value: operation.argument },
      place,
    };
    if (operation.result === undefined) return [invoke];
    return [
      invoke,
      { event: { ...common, time: operation.return, type: "ok" as const, value: operation.result }, place },
    ];
  });
  const kind = (event: Omit<Event, "index">): number => (event.type === "invoke" ? 0 : 1);
  return events.sort((a, b) => a.event.time - b.event.time || kind(a.event) - kind(b.event));
}
