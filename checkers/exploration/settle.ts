import type { Coverage } from "./coverage.ts";
import { leastFingerprint } from "./fingerprints.ts";
import type { Frontier } from "./frontier.ts";
import { isBefore, RunReader, runFile, RunWriter } from "./spill.ts";
import { word } from "./shared.ts";
import type { Visited } from "./visited.ts";

/** What settling works on. */
export interface Unsettled {
  readonly control: Int32Array;
  readonly visited: Visited;
  readonly frontier: Frontier;
  readonly coverage: Coverage;
  readonly parents: Int32Array;
  /** How long rows of each packing are, and how many ints their fingerprints are, which come last. */
  readonly strides: readonly number[];
  readonly width: number;
  /** The folder of the runs. */
  readonly folder: string;
}

/**
 * Delayed detection of duplicates (Stern & Dill 1998): the table in memory knows only the states since it was last
 * written out, so that states of the next level may have been visited before. They are found by merging the table,
 * which is nearly sorted, with the sorted runs on disk, and are taken out of the next level and of all counts.
 * To be called while all workers wait and have handed over their chunks.
 */
export function settle(it: Unsettled): void {
  if ((it.control[word.runs] as number) > 0) {
    const known = knownBefore(it);
    if (known.count > 0) removeKnown(it, known.slots);
  }
  it.frontier.markSettled();
}

/** Settles, writes the table out as a run and empties it. Throws OperationError where the disk is full. */
export function writeOut(it: Unsettled): void {
  const { control, visited, folder } = it;
  const known = (control[word.runs] as number) > 0 ? knownBefore(it) : undefined;
  if (known !== undefined && known.count > 0) removeKnown(it, known.slots);
  it.frontier.markSettled();
  const writer = new RunWriter(runFile(folder, control[word.runs] as number));
  try {
    visited.forEachSorted((lo, hi, slot) => {
      if (known === undefined || !isMarked(known.slots, slot)) writer.add(lo, hi);
    });
  } finally {
    writer.close();
  }
  control[word.runs] = (control[word.runs] as number) + 1;
  visited.clear();
}

/** Which slots of the table hold fingerprints that a run has, too. */
function knownBefore({ control, visited, folder }: Unsettled): {
  readonly slots: Uint8Array;
  readonly count: number;
} {
  const slots = new Uint8Array(Math.ceil(visited.slotsMax / 8));
  let count = 0;
  const readers = Array.from(
    { length: control[word.runs] as number },
    (_, run) => new RunReader(runFile(folder, run)),
  );
  try {
    let open = readers.filter((reader) => reader.advance());
    visited.forEachSorted((lo, hi, slot) => {
      let ended = false;
      for (const reader of open) {
        let more = true;
        while (more && isBefore(reader.lo, reader.hi, lo, hi)) more = reader.advance();
        if (!more) {
          reader.lo = reader.hi = -1;
          ended = true;
        } else if (reader.lo === lo && reader.hi === hi) {
          slots[slot >>> 3] = (slots[slot >>> 3] as number) | (1 << (slot & 7));
          count++;
        }
      }
      if (ended) open = open.filter((reader) => reader.lo !== -1 || reader.hi !== -1);
    });
  } finally {
    for (const reader of readers) reader.close();
  }
  return { slots, count };
}

function isMarked(slots: Uint8Array, slot: number): boolean {
  return ((slots[slot >>> 3] as number) & (1 << (slot & 7))) !== 0;
}

function removeKnown(
  { control, visited, frontier, coverage, parents, strides, width }: Unsettled,
  slots: Uint8Array,
): void {
  const removed = frontier.filterUnsettled(strides, (rows, at, stride, number, to) => {
    const { lo, hi } = leastFingerprint(rows, at + stride - width, width);
    if (isMarked(slots, visited.slot(lo, hi))) {
      coverage.add(parents[2 * number + 1] as number, 0, -1);
      return false;
    }
    parents[2 * to] = parents[2 * number] as number;
    parents[2 * to + 1] = parents[2 * number + 1] as number;
    return true;
  });
  control[word.distinct] = (control[word.distinct] as number) - removed;
}
