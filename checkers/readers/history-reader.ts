import type { Event } from "../../model/light.ts";

/** The formats that histories come in. */
export const formats = ["zabcheck", "jepsen-edn", "jepsen-log", "etcd-report"] as const;
export type Format = (typeof formats)[number];

/**
 * Reads one history from chunks of bytes, which may end anywhere. It keeps the events but never more of the text than
 * one unfinished form. Both methods throw InputError, naming file, line and rule, for what is no history.
 */
export interface HistoryReader {
  write(chunk: Uint8Array): void;
  end(): History;
}

/** A history as read, with what was odd about it but is accepted where it comes from. */
export interface History {
  readonly format: Format;
  readonly events: readonly Event[];
  readonly warnings: readonly string[];
  /** "file:line" of an event of this history. */
  locate(event: Event): string;
}

/** The longest line, or form of EDN, that is read, in bytes. */
export const textBytesMax: number = 32 * 1024 * 1024;
