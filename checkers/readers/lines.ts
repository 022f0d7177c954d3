import { InputError } from "../../model/light.ts";
import { textBytesMax } from "./history-reader.ts";

/** Cuts chunks of bytes into lines of text. Throws InputError for what is no UTF-8 text, for NUL bytes and for endless lines. */
export class Lines {
  readonly #file: string;
  readonly #decoder: TextDecoder = new TextDecoder("utf-8", { fatal: true });
  #rest: string[] = [];
  #restLength: number = 0;
  #line: number = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Number of the last line given out, from 1. */
  get line(): number {
    return this.#line;
  }

  /** Calls `take` for each whole line, without its line feed. */
  write(chunk: Uint8Array, take: (line: string) => void): void {
    this.#split(this.#decode(chunk, true), take);
  }

  /** Gives out a last line that has no line feed. */
  end(take: (line: string) => void): void {
    this.#split(this.#decode(new Uint8Array(0), false), take);
    if (this.#restLength > 0) this.#give(this.#takeRest(""), take);
  }

  #split(text: string, take: (line: string) => void): void {
    let from = 0;
    for (let feed = text.indexOf("\n"); feed !== -1; feed = text.indexOf("\n", from)) {
      this.#give(this.#takeRest(text.slice(from, feed)), take);
      from = feed + 1;
    }
    if (from === text.length) return;
    this.#rest.push(text.slice(from));
    this.#restLength += text.length - from;
    this.#refuseEndless(this.#restLength);
  }

  #give(line: string, take: (line: string) => void): void {
    this.#line++;
    this.#refuseEndless(line.length);
    take(line.endsWith("\r") ? line.slice(0, -1) : line);
  }

  #takeRest(last: string): string {
    if (this.#restLength === 0) return last;
    const whole = this.#rest.join("") + last;
    this.#rest = [];
    this.#restLength = 0;
    return whole;
  }

  #refuseEndless(length: number): void {
    if (length <= textBytesMax) return;
    throw new InputError(
      `${this.#file}:${String(this.#line + 1)}: the line is longer than ${String(textBytesMax)} bytes`,
      "A history has one event a line; is this file one?",
    );
  }

  #decode(chunk: Uint8Array, stream: boolean): string {
    if (chunk.includes(0)) throw this.#binary();
    try {
      return this.#decoder.decode(chunk, { stream });
    } catch {
      throw this.#binary();
    }
  }

  #binary(): InputError {
    return new InputError(
      `${this.#file}:${String(this.#line + 1)}: near this line are bytes that are no UTF-8 text; expected a history as text`,
      "Unpack the file first if it is compressed.",
    );
  }
}
