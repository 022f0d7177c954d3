import { readFileSync } from "node:fs";

/** How two histories on disk compare, byte for byte. */
export type Comparison =
  | { readonly same: true; readonly events: number }
  /** `events`: how many they have in common from the beginning; `ended`: one of them is a beginning of the other. */
  | { readonly same: false; readonly events: number; readonly ended: "first" | "second" | "neither" };

/** Compares two history files. A torn last line of either counts as its end. */
export function compareHistories(first: string, second: string): Comparison {
  const [a, b] = [wholeLines(first), wholeLines(second)];
  if (a.equals(b)) return { same: true, events: eventsIn(a) };
  const common = commonLines(a, b);
  const ended = common === a.length ? "first" : common === b.length ? "second" : "neither";
  return { same: false, events: eventsIn(a.subarray(0, common)), ended };
}

const lineFeed = 10;
/** Compared at a time. */
const chunkBytes = 1 << 16;

function wholeLines(path: string): Buffer {
  const bytes = readFileSync(path);
  return bytes.subarray(0, bytes.lastIndexOf(lineFeed) + 1);
}

/** How many bytes of whole lines both begin with. */
function commonLines(a: Buffer, b: Buffer): number {
  const shorter = Math.min(a.length, b.length);
  let at = 0;
  while (
    at + chunkBytes <= shorter &&
    a.subarray(at, at + chunkBytes).equals(b.subarray(at, at + chunkBytes))
  )
    at += chunkBytes;
  while (at < shorter && a[at] === b[at]) at++;
  return a.lastIndexOf(lineFeed, at - 1) + 1;
}

/** The first line is the header. */
function eventsIn(lines: Buffer): number {
  let count = 0;
  for (let at = lines.indexOf(lineFeed); at !== -1; at = lines.indexOf(lineFeed, at + 1)) count++;
  return Math.max(0, count - 1);
}
