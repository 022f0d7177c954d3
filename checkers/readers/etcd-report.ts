import { InputError, type Event, type Json } from "../../model/light.ts";
import type { History, HistoryReader } from "./history-reader.ts";
import { Lines } from "./lines.ts";

/** An event until all are known and can be numbered. */
type Unnumbered = { -readonly [field in keyof Event]: Event[field] };

interface Placed {
  readonly event: Unnumbered;
  readonly file: string;
  readonly line: number;
}

/**
 * Reads the operations of a report of etcd's robustness tests (`client-N/operations.json`: one JSON object a line with
 * ClientId, Input, Call, Output, Return; times in ns). Several files make one history: write each, then `nextFile`.
 * Watch responses (`watch.json`) and server data are not read. Fields that are empty or zero are left out of requests
 * and responses, as such reports consist of them for the most part.
 */
export class EtcdReportReader implements HistoryReader {
  #file: string;
  #lines: Lines;
  readonly #placed: Placed[] = [];
  readonly #files: Set<string> = new Set();

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
    if (this.#placed.length === 0) throw this.#broken(1, "there is no operation; expected etcd's report");
    const placed = this.#placed.sort(inOrder);
    placed.forEach(({ event }, index) => (event.index = index));
    const warnings =
      this.#files.size === 1
        ? [
            `${this.#file}: one file of operations; a report has one for each client, give its directory to judge all`,
          ]
        : [];
    return {
      format: "etcd-report",
      events: placed.map(({ event }) => event),
      warnings,
      locate: ({ index }: Event) => {
        const place = placed[index];
        return place === undefined ? this.#file : `${place.file}:${String(place.line)}`;
      },
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
    const argument = request[f.charAt(0).toUpperCase() + f.slice(1)] as Json | undefined;
    const response = fields(output);
    const isOpen = end === 0 || textOrNone(response["Error"]) !== "";
    // An answer that says the request was refused tells that nothing happened.
    if (!isOpen && textOrNone(response["ClientError"]) !== "") return;
    if (!isOpen && end < call)
      throw this.#broken(line, `the clock runs back: Return ${String(end)} is before Call ${String(call)}`);
    this.#files.add(this.#file);
    this.#place(client, call, "invoke", f, withoutZeros(argument ?? null));
    if (!isOpen) this.#place(client, end, "ok", f, withoutZeros(response as Json));
  }

  #place(process: number, time: number, type: "invoke" | "ok", f: string, value: Json): void {
    const event: Unnumbered = { index: 0, time, process, type, f, value };
    this.#placed.push({ event, file: this.#file, line: this.#lines.line });
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

function inOrder({ event: a }: Placed, { event: b }: Placed): number {
  return a.time - b.time || Number(a.type !== "invoke") - Number(b.type !== "invoke");
}

const nothing: Json = Object.freeze({});

/** The same for the model of etcd, which takes an absent field for zero. */
function withoutZeros(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(withoutZeros);
  const kept = Object.entries(value).filter(
    ([, field]) => field !== null && field !== 0 && field !== "" && field !== false,
  );
  if (kept.length === 0) return nothing;
  return Object.fromEntries(kept.map(([name, field]) => [name, withoutZeros(field)]));
}
