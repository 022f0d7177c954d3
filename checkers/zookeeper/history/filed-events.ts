import { closeSync, openSync, readSync } from "node:fs";
import { type Event, OperationError } from "../../../model/index.ts";
import { firstThat } from "../../ascending.ts";
import type { RecordedEvents } from "./recorded-events.ts";

/** The longest line that is fetched again in one piece, in bytes; longer ones take several. */
const readBytes = 4096;
const lineFeed = 10;

/**
 * Events that stay in the file that they were read from: of each is known where its line begins. Fetching one throws
 * OperationError where the file is no longer what it was.
 */
export class FiledEvents implements RecordedEvents {
  readonly #file: string;
  readonly #indexes = new Column();
  readonly #times = new Column();
  readonly #lines = new Column();

  constructor(file: string) {
    this.#file = file;
  }

  /** The next event, and the byte of the file at which its line begins. */
  note(index: number, time: number, lineAt: number): void {
    this.#indexes.push(index);
    this.#times.push(time);
    this.#lines.push(lineAt);
  }

  at(index: number): Event {
    const line = this.#lines.at(this.#find(index));
    let event: Event | undefined;
    try {
      event = JSON.parse(this.#read(line)) as Event;
    } catch (error) {
      throw this.#changed(index, error);
    }
    if (event.index !== index) throw this.#changed(index);
    return event;
  }

  timeAt(index: number): number {
    return this.#times.at(this.#find(index));
  }

  #find(index: number): number {
    if (this.#indexes.at(index) === index) return index;
    return firstThat(this.#indexes.length, (at) => this.#indexes.at(at) >= index);
  }

  /** The line that begins at a byte of the file. */
  #read(from: number): string {
    const descriptor = openSync(this.#file, "r");
    try {
      const parts: Buffer[] = [];
      for (let at = from; ;) {
        const part = Buffer.allocUnsafe(readBytes);
        const read = readSync(descriptor, part, 0, readBytes, at);
        const feed = part.subarray(0, read).indexOf(lineFeed);
        parts.push(part.subarray(0, feed === -1 ? read : feed));
        if (feed !== -1 || read === 0) return Buffer.concat(parts).toString("utf8");
        at += read;
      }
    } finally {
      closeSync(descriptor);
    }
  }

  #changed(index: number, cause?: unknown): OperationError {
    return new OperationError(
      "changed",
      `${this.#file} was changed while it was judged: event ${index} is no longer where it was read`,
      "Judge a history that nobody writes to any more, or a copy of it.",
      cause,
    );
  }
}

const pageRows = 1 << 16;

/** Numbers one below the other. */
class Column {
  readonly #pages: Float64Array[] = [];
  length = 0;

  push(value: number): void {
    const row = this.length++ % pageRows;
    if (row === 0) this.#pages.push(new Float64Array(pageRows));
    (this.#pages.at(-1) as Float64Array)[row] = value;
  }

  /** NaN where there is none. */
  at(row: number): number {
    const page = this.#pages[Math.floor(row / pageRows)];
    return row < this.length ? ((page as Float64Array)[row % pageRows] as number) : NaN;
  }
}
