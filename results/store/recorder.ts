import { closeSync, openSync, writeSync } from "node:fs";
import { OperationError, type Event } from "../../model/index.ts";
import { encodeEvent, encodeHeader } from "../../model/index.ts";

/** An event before the recorder has numbered it. */
export type Recorded = Omit<Event, "index">;

/** How many events may wait in memory where their loss loses nothing (see `HistoryRecorder`). */
const batchEventsMax = 256;

/**
 * Appends a history to its file, event by event.
 *
 * With `through` every event has been handed to the kernel by write(2) when `append` returns: it survives the
 * death of this process, not that of the machine. That is what a request to another process needs before it is
 * sent. Without it (an ensemble that lives in this process and dies with it) events are written in batches.
 */
export class HistoryRecorder {
  readonly path: string;
  readonly #descriptor: number;
  readonly #through: boolean;
  readonly #events: Event[] = [];
  #pending = "";
  #pendingEvents = 0;
  #closed = false;

  /** Throws OperationError where the file cannot be made. An existing file is not overwritten. */
  constructor(path: string, through: boolean) {
    this.path = path;
    this.#through = through;
    this.#descriptor = this.#attempt(() => openSync(path, "ax"));
    this.#write(encodeHeader());
  }

  /** Everything recorded, in order; the same events that are on disk. */
  get events(): readonly Event[] {
    return this.#events;
  }

  append(recorded: Recorded): Event {
    const event: Event = { index: this.#events.length, ...recorded };
    this.#events.push(event);
    this.#pending += encodeEvent(event);
    this.#pendingEvents++;
    if (this.#through || this.#pendingEvents >= batchEventsMax) this.flush();
    return event;
  }

  flush(): void {
    const text = this.#pending;
    this.#pending = "";
    this.#pendingEvents = 0;
    if (text !== "") this.#write(text);
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#attempt(() => closeSync(this.#descriptor));
  }

  #write(text: string): void {
    const bytes = Buffer.from(text, "utf8");
    let written = 0;
    while (written < bytes.length) {
      written += this.#attempt(() => writeSync(this.#descriptor, bytes, written));
    }
  }

  #attempt<T>(step: () => T): T {
    try {
      return step();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new OperationError(
        "HISTORY_UNWRITABLE",
        `${this.path}: ${reason}`,
        "free disk space or choose another folder with --results DIR",
        error,
      );
    }
  }
}
