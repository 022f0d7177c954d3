import type { Event } from "./history.ts";

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
