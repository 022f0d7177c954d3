import { InputError } from "./errors.ts";
import { isStat, type Event, type EventType } from "./history.ts";
import { HistoryRules } from "./history-operations.ts";

/*
 * Histories as text: JSON lines. The first line is the header, every other line an event; a line ends with a line
 * feed. Whoever writes appends whole lines, so that only the last line can be torn, by a writer that was cut off.
 */
export const historyFormat = "zabcheck-history";
export const historyVersion = 1;

/** The longest line that is read, in bytes. */
export const historyLineBytesMax: number = 32 * 1024 * 1024;

/** The first line, with its line feed. */
export function encodeHeader(): string {
  return `{"format":"${historyFormat}","version":${historyVersion}}\n`;
}

/** An event's line, with its line feed. */
export function encodeEvent(event: Event): string {
  return `${JSON.stringify(event)}\n`;
}

/** The last line, cut off before its line feed: left out of the history and to be told to the user. */
export interface TornLine {
  /** Counted from 1. */
  readonly line: number;
  readonly bytes: number;
}

export interface DecoderOptions {
  /** For messages. */
  readonly file: string;
  readonly lineBytesMax?: number;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
const nothing = new Uint8Array(0);

/**
 * Reads a history from chunks of bytes of any size, which may end anywhere, and keeps no more of them than one
 * unfinished line. Call `end` after the last one. Both give the events that have become whole.
 *
 * Throws InputError that names file, line and what was expected, for any line that is no event or breaks a rule of
 * histories (HistoryRules), except for a torn last one, which `end` reports.
 */
export class HistoryDecoder {
  readonly #file: string;
  readonly #lineBytesMax: number;
  readonly #rules: HistoryRules;
  #restParts: Uint8Array[] = [];
  #restBytes = 0;
  #line = 0;

  constructor(options: DecoderOptions) {
    this.#file = options.file;
    this.#lineBytesMax = options.lineBytesMax ?? historyLineBytesMax;
    this.#rules = new HistoryRules(() => `${this.#file}:${this.#line}`);
  }

  /** Lines read so far, the header included. */
  get lines(): number {
    return this.#line;
  }

  write(chunk: Uint8Array): Event[] {
    const end = chunk.lastIndexOf(10);
    if (end === -1) {
      this.#keep(chunk);
      return [];
    }
    const first = chunk.indexOf(10);
    if (this.#restBytes + first > this.#lineBytesMax) throw this.#tooLong(this.#line + 1);
    const whole = this.#take(chunk.subarray(0, end));
    const events: Event[] = [];
    for (const text of this.#split(whole)) this.#readLine(text, events);
    this.#keep(chunk.subarray(end + 1));
    return events;
  }

  end(): { readonly events: readonly Event[]; readonly torn: TornLine | undefined } {
    const rest = this.#take(nothing);
    if (rest.length === 0) {
      if (this.#line === 0) throw this.#broken(1, "the file is empty; expected a history");
      return { events: [], torn: undefined };
    }
    const torn: TornLine = { line: this.#line + 1, bytes: rest.length };
    const events: Event[] = [];
    const text = decodeOrUndefined(rest);
    // A whole event that only lacks its line feed is kept; no proper prefix of a line is valid JSON.
    if (text !== undefined && parseOrUndefined(text) !== undefined) {
      this.#readLine(text, events);
      return { events, torn: undefined };
    }
    if (this.#line === 0 && (text === undefined || !encodeHeader().startsWith(text))) throw this.#noHeader();
    return { events, torn };
  }

  #keep(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#restBytes += chunk.length;
    if (this.#restBytes > this.#lineBytesMax) throw this.#tooLong(this.#line + 1);
    this.#restParts.push(chunk.slice());
  }

  #take(last: Uint8Array): Uint8Array {
    if (this.#restParts.length === 0) return last;
    const whole = new Uint8Array(this.#restBytes + last.length);
    let at = 0;
    for (const part of this.#restParts) {
      whole.set(part, at);
      at += part.length;
    }
    whole.set(last, at);
    this.#restParts = [];
    this.#restBytes = 0;
    return whole;
  }

  /** Lines of the bytes, which hold no unfinished one. */
  #split(bytes: Uint8Array): string[] {
    const text = decodeOrUndefined(bytes);
    if (text !== undefined) return text.split("\n");
    // Some line is no UTF-8: find it, after the good ones before it.
    const lines: string[] = [];
    for (let from = 0; from <= bytes.length;) {
      const feed = bytes.indexOf(10, from);
      const to = feed === -1 ? bytes.length : feed;
      const line = decodeOrUndefined(bytes.subarray(from, to));
      if (line === undefined) {
        throw this.#broken(
          this.#line + lines.length + 1,
          "these bytes are no UTF-8 text; expected an event in JSON",
        );
      }
      lines.push(line);
      from = to + 1;
    }
    return lines;
  }

  #readLine(text: string, events: Event[]): void {
    this.#line++;
    if (text.length > this.#lineBytesMax) throw this.#tooLong(this.#line);
    const parsed = parseOrUndefined(text);
    if (this.#line === 1) {
      this.#checkHeader(parsed);
      return;
    }
    if (parsed === undefined) throw this.#broken(this.#line, `this is no JSON; expected ${anEvent}`);
    const fault = faultOf(parsed);
    if (fault !== undefined) throw this.#broken(this.#line, fault);
    const event = parsed as Event;
    this.#rules.check(event);
    events.push(event);
  }

  #checkHeader(header: unknown): void {
    if (!isRecord(header) || header["format"] !== historyFormat) throw this.#noHeader();
    const version = header["version"];
    if (version !== historyVersion) {
      const shown = JSON.stringify(version) ?? "none";
      throw this.#broken(1, `version ${shown} of the format; expected version ${historyVersion}`);
    }
  }

  #noHeader(): InputError {
    return new InputError(
      `${this.#file}:1: this is no history of zabcheck; expected ${encodeHeader().trim()}`,
      "give a history.jsonl, or say what it is with --format",
    );
  }

  #tooLong(line: number): InputError {
    return this.#broken(line, `the line is longer than ${this.#lineBytesMax} bytes; expected ${anEvent}`);
  }

  #broken(line: number, what: string): InputError {
    return new InputError(`${this.#file}:${line}: ${what}`, "repair the history, or record it again");
  }
}

const anEvent = "an event in JSON: {index, time, process, type, f, value}";
const types: ReadonlySet<unknown> = new Set<EventType>(["invoke", "ok", "fail", "info"]);
function decodeOrUndefined(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What keeps a value from being an event, with what was expected; undefined where it is one. */
function faultOf(value: unknown): string | undefined {
  if (!isRecord(value)) return `this is no object; expected ${anEvent}`;
  const { index, time, process, type, f } = value;
  if (!isCount(index)) return `index is ${show(index)}; expected an integer from 0 on`;
  if (!Number.isSafeInteger(time)) return `time is ${show(time)}; expected an integer, nanoseconds`;
  if (!(isCount(process) || (typeof process === "string" && process !== ""))) {
    return `process is ${show(process)}; expected an integer from 0 on or a name`;
  }
  if (!types.has(type)) return `type is ${show(type)}; expected invoke, ok, fail or info`;
  if (typeof f !== "string" || f === "") return `f is ${show(f)}; expected the operation's name`;
  if (value["value"] === undefined) return "value is missing; expected one, or null";
  return faultOfEvidence(value);
}

function faultOfEvidence(event: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of ["zxid", "xid"] as const) {
    const number = event[name];
    if (number !== undefined && !Number.isSafeInteger(number))
      return `${name} is ${show(number)}; expected an integer`;
  }
  for (const name of ["server", "session", "error"] as const) {
    const text = event[name];
    if (text !== undefined && typeof text !== "string") return `${name} is ${show(text)}; expected text`;
  }
  const stat = event["stat"];
  if (stat === undefined || isStat(stat)) return undefined;
  return "stat is not whole; expected ephemeralOwner in hex and ten integers";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length <= 40 ? text : `${text.slice(0, 40)}...`;
}
