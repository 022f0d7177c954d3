import { HistoryDecoder, type Event, type TornLine } from "../../model/light.ts";
import type { History, HistoryReader } from "./history-reader.ts";

/** Reads this project's own JSON lines. A torn last line, left by a writer that was cut off, is a warning. */
export class ZabcheckReader implements HistoryReader {
  readonly #file: string;
  readonly #decoder: HistoryDecoder;
  readonly #events: Event[] = [];

  constructor(file: string) {
    this.#file = file;
    this.#decoder = new HistoryDecoder({ file });
  }

  write(chunk: Uint8Array): void {
    for (const event of this.#decoder.write(chunk)) this.#events.push(event);
  }

  end(): History {
    const { events, torn } = this.#decoder.end();
    for (const event of events) this.#events.push(event);
    const warnings = tornWarnings(this.#file, torn);
    // The header is line 1, and indexes count from 0.
    const locate = (event: Event): string => `${this.#file}:${String(event.index + 2)}`;
    return { format: "zabcheck", events: this.#events, warnings, locate };
  }
}

/** What is told of a last line that was left out. */
export function tornWarnings(file: string, torn: TornLine | undefined): readonly string[] {
  if (torn === undefined) return [];
  return [`${file}:${torn.line}: the last line is cut off after ${torn.bytes} bytes and was left out`];
}
