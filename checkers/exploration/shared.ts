import { bufferBytesMax, growable, growTo } from "./memory.ts";

/** Words of the control block that all workers share. */
export const word = {
  lock: 0,
  /** Barrier: who has arrived, and how often it has opened. */
  arrived: 1,
  generation: 2,
  /** Set to make all workers come to the barrier before the level is done. */
  pause: 3,
  /** Set from outside to end at the next chunk, see `stopReason`. */
  stop: 4,
  done: 5,
  level: 6,
  /** States of the current level. */
  levelRows: 7,
  current: 8,
  /** Chunks in list 0 and in list 1. */
  listed: 9,
  chunksMade: 11,
  chunksFree: 12,
  numbers: 13,
  distinct: 14,
  capacity: 15,
  findings: 16,
  frontierRows: 17,
  /** When the last checkpoint was, in ms modulo 2^30, and how long it took. */
  checkpointAt: 18,
  checkpointMs: 19,
  /** Fingerprints in the table; fewer than distinct states once it was written out. */
  inTable: 20,
  /** Sorted runs of fingerprints on disk. */
  runs: 21,
  /** Chunks of the next level that hold no duplicates. */
  settled: 22,
  /** Chunks on disk, of list 0 and of list 1. */
  onDisk: 23,
  /** See `Alike`: slots of its table; how many states were counted with others, and how many are waiting for it; */
  alikeSlots: 25,
  alike: 26,
  matesWaiting: 27,
  /** for list 0 and list 1, the mates noted, and the number from which on states have weights. */
  mates: 28,
  firstWeighted: 30,
  /** For each worker: KiB of its heap. */
  heaps: 32,
  /** With a word for each of `workersMax`. */
  count: 96,
} as const;

/**
 * Values of `word.pause`: somebody needs a larger table, or the table is to be written out, or states that were taken
 * for alike are not.
 */
export const pauseReason = { none: 0, grow: 1, writeOut: 2, takeBack: 3 } as const;

/** Why an exploration ended before its time. */
export const stopReason = { none: 0, violation: 1, time: 2, memory: 3, interrupted: 4, depth: 5 } as const;

/** The buffers of one exploration. All of them can be handed to workers. */
export interface SharedMemory {
  readonly control: SharedArrayBuffer;
  readonly values: SharedArrayBuffer;
  /** Fingerprints: pairs [lo, hi]. */
  readonly visited: SharedArrayBuffer;
  /** For each state by number: [number of the state before, instance]. */
  readonly parents: SharedArrayBuffer;
  /** Chunks of rows. */
  readonly rows: SharedArrayBuffer;
  /** For each chunk: see `chunkField`. */
  readonly chunks: SharedArrayBuffer;
  /** Chunks of the current and of the next level, and free ones. */
  readonly lists: readonly [SharedArrayBuffer, SharedArrayBuffer];
  /** Who has filled each chunk of the levels' lists, see `Frontier`. */
  readonly makers: readonly [SharedArrayBuffer, SharedArrayBuffer];
  readonly free: SharedArrayBuffer;
  /** The same for each chunk on disk, of list 0 and of list 1. */
  readonly diskChunks: readonly [SharedArrayBuffer, SharedArrayBuffer];
  /** For each instance and worker: [generated, distinct] as doubles. */
  readonly coverage: SharedArrayBuffer;
  /** What was found out about properties, see `Knowledge`. */
  readonly knowledge: SharedArrayBuffer;
  /** See `Projections`. */
  readonly projections: SharedArrayBuffer;
  /** See `Liveness`. */
  readonly liveness: SharedArrayBuffer;
  /** See `Alike`. */
  readonly alike: {
    /** For each entry: the two halves of a fingerprint, and the number of the state that is kept. */
    readonly slots: SharedArrayBuffer;
    /** For the states of list 0 and of list 1, by number: how many others each stands for. */
    readonly weights: readonly [SharedArrayBuffer, SharedArrayBuffer];
    /** Those others. */
    readonly mates: readonly [SharedArrayBuffer, SharedArrayBuffer];
  };
}

export function makeSharedMemory(
  values: SharedArrayBuffer,
  learnt: Pick<SharedMemory, "knowledge" | "projections" | "liveness">,
): SharedMemory {
  const { knowledge, projections, liveness } = learnt;
  const small = 2 ** 16;
  return {
    control: new SharedArrayBuffer(4 * word.count),
    values,
    visited: growable(small, bufferBytesMax),
    parents: growable(small, bufferBytesMax),
    rows: growable(small, bufferBytesMax),
    chunks: growable(small, 2 ** 28),
    lists: [growable(small, 2 ** 28), growable(small, 2 ** 28)],
    makers: [growable(small, 2 ** 28), growable(small, 2 ** 28)],
    free: growable(small, 2 ** 28),
    diskChunks: [growable(small, 2 ** 28), growable(small, 2 ** 28)],
    coverage: growable(small, 2 ** 30),
    knowledge,
    projections,
    liveness,
    alike: {
      slots: growable(small, 2 ** 28),
      weights: [growable(small, bufferBytesMax), growable(small, bufferBytesMax)],
      mates: [growable(small, bufferBytesMax), growable(small, bufferBytesMax)],
    },
  };
}

/** Makes a growing buffer reach so many bytes, in steps. False where memory or address space is used up. */
function reachBytes(buffer: SharedArrayBuffer, bytes: number): boolean {
  if (buffer.byteLength >= bytes) return true;
  const generous = Math.max(bytes, Math.min(buffer.byteLength * 1.25, bytes + 2 ** 26));
  const rounded = Math.ceil(generous / 2 ** 16) * 2 ** 16;
  return growTo(buffer, rounded) || growTo(buffer, bytes);
}

/** A view of a growing buffer that is made anew only when it has become too short. */
export class GrowingView {
  ints: Int32Array;
  readonly #buffer: SharedArrayBuffer;

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
    this.ints = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
  }

  /** The view, at least `length` ints long. Returns undefined where memory or address space is used up. */
  reach(length: number): Int32Array | undefined {
    if (length > this.ints.length) {
      if (!reachBytes(this.#buffer, 4 * length)) return undefined;
      this.ints = new Int32Array(this.#buffer, 0, this.#buffer.byteLength >>> 2);
    }
    return this.ints;
  }

  /** The view of all that others have made it reach. */
  get whole(): Int32Array {
    return this.reach(this.#buffer.byteLength >>> 2) as Int32Array;
  }
}
