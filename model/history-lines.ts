import { InputError } from "./errors.ts";
import { isStat, type Event, type EventType } from "./history.ts";
import { encodeHeader, historyFormat, historyLineBytesMax, historyVersion } from "./history-codec.ts";
import { HistoryRules } from "./history-operations.ts";

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

/** Where the lines of a history go, in order. Both functions throw InputError for what breaks a rule. */
export interface LineSink {
  take(event: Event): void;
  /** Takes, by its bytes, the event whose line begins at `from`: where the line ends, -1 if it has to be decoded. */
  recognise?(bytes: Uint8Array, from: number): number;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
const nothing = new Uint8Array(0);
const lineFeed = 10;

/**
 * Cuts chunks of bytes, which may be of any size and end anywhere, into the lines of a history, and keeps no more of
 * them than one unfinished line. Call `end` after the last one.
 *
 * Throws InputError that names file, line and what was expected, for any line that is no event, except for a torn last
 * one, which `end` reports.
 */
export class HistoryLines {
  readonly #file: string;
  readonly #lineBytesMax: number;
  readonly #sink: LineSink;
  #restParts: Uint8Array[] = [];
  #restBytes = 0;
  #line = 0;
  /** Of the bytes that are cut next. */
  #cutAt = 0;
  #lineAt = 0;

  constructor(options: DecoderOptions, sink: LineSink) {
    this.#file = options.file;
    this.#lineBytesMax = options.lineBytesMax ?? historyLineBytesMax;
    this.#sink = sink;
  }

  /** The line that is read, or was read last, from 1: the header is the first. */
  get line(): number {
    return this.#line;
  }

  /** At which byte of the file it begins; for sinks that recognise lines by their bytes. */
  get lineAt(): number {
    return this.#lineAt;
  }

  /** "file:line" of it. */
  get location(): string {
    return `${this.#file}:${this.#line}`;
  }

  write(chunk: Uint8Array): void {
    const end = chunk.lastIndexOf(lineFeed);
    if (end === -1) {
      this.#keep(chunk);
      return;
    }
    const first = chunk.indexOf(lineFeed);
    if (this.#restBytes + first > this.#lineBytesMax) throw this.#tooLong(this.#line + 1);
    const whole = this.#take(chunk.subarray(0, end));
    this.#cut(whole);
    this.#cutAt += whole.length + 1;
    this.#keep(chunk.subarray(end + 1));
  }

  end(): TornLine | undefined {
    const rest = this.#take(nothing);
    if (rest.length === 0) {
      if (this.#line === 0) throw this.#broken(1, "the file is empty; expected a history");
      return undefined;
    }
    const text = decodeOrUndefined(rest);
    // A whole event that only lacks its line feed is kept; no proper prefix of a line is valid JSON.
    if (text !== undefined && parseOrUndefined(text) !== undefined) {
      this.#lineAt = this.#cutAt;
      this.#readLine(text);
      return undefined;
    }
    if (this.#line === 0 && (text === undefined || !encodeHeader().startsWith(text))) throw this.#noHeader();
    return { line: this.#line + 1, bytes: rest.length };
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

  /** Reads the lines of the bytes, which hold no unfinished one. */
  #cut(bytes: Uint8Array): void {
    const text = this.#sink.recognise === undefined ? decodeOrUndefined(bytes) : undefined;
    if (text !== undefined) {
      for (const line of text.split("\n")) this.#readLine(line);
      return;
    }
    for (let from = 0; from <= bytes.length;) {
      this.#lineAt = this.#cutAt + from;
      const end = this.#recognised(bytes, from);
      from = (end === -1 ? this.#decoded(bytes, from) : end) + 1;
    }
  }

  /** The end of a line that the sink took by its bytes; -1 where it did not. */
  #recognised(bytes: Uint8Array, from: number): number {
    if (this.#line === 0 || this.#sink.recognise === undefined) return -1;
    this.#line++;
    const end = this.#sink.recognise(bytes, from);
    if (end === -1) this.#line--;
    return end;
  }

  /** The end of a line that had to be decoded. */
  #decoded(bytes: Uint8Array, from: number): number {
    const feed = bytes.indexOf(lineFeed, from);
    const end = feed === -1 ? bytes.length : feed;
    const line = decodeOrUndefined(bytes.subarray(from, end));
    if (line === undefined) {
      throw this.#broken(this.#line + 1, "these bytes are no UTF-8 text; expected an event in JSON");
    }
    this.#readLine(line);
    return end;
  }

  #readLine(text: string): void {
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
    this.#sink.take(parsed as Event);
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

/**
 * Reads a history from chunks of bytes (HistoryLines). Both methods give the events that have become whole. Throws
 * InputError as HistoryLines does, and for events that break a rule of histories (HistoryRules).
 */
export class HistoryDecoder {
  readonly #lines: HistoryLines;
  #events: Event[] = [];

  constructor(options: DecoderOptions) {
    const rules = new HistoryRules(() => this.#lines.location);
    this.#lines = new HistoryLines(options, {
      take: (event) => {
        rules.check(event);
        this.#events.push(event);
      },
    });
  }

  /** Lines read so far, the header included. */
  get lines(): number {
    return this.#lines.line;
  }

  write(chunk: Uint8Array): Event[] {
    this.#lines.write(chunk);
    return this.#taken();
  }

  end(): { readonly events: readonly Event[]; readonly torn: TornLine | undefined } {
    const torn = this.#lines.end();
    return { events: this.#taken(), torn };
  }

  #taken(): Event[] {
    const events = this.#events;
    this.#events = [];
    return events;
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
