import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { getHeapStatistics } from "node:v8";
import { OperationError } from "../model/light.ts";

/** Bytes of heap that reading and judging a history may take for each byte of its file. */
const heapPerByte = 12;
/** Of the machine's memory, what this process may be given. */
const shareMax = 0.75;
/** Of the young generation's halves, in MiB: nearly all that is read stays, and is moved less often in larger ones. */
const semiSpaceMiB = 32;
/** How V8 ends a process whose heap is full. */
const heapIsFull = "SIGABRT";

/**
 * Runs this very command again with a larger heap, where the files are so large that Node's own limit would not do, and
 * resolves to its exit code; undefined where the heap of this process will do. Throws OperationError where even the
 * larger one did not.
 */
export function withLargerHeap(files: readonly string[]): number | undefined {
  const neededBytes = heapPerByte * Math.max(0, ...files.map(sizeOf));
  const { heap_size_limit: limitBytes } = getHeapStatistics();
  const heapMiB = Math.floor(Math.min(neededBytes, shareMax * totalmem()) / 2 ** 20);
  if (neededBytes <= limitBytes || heapMiB * 2 ** 20 <= limitBytes) return undefined;
  const heap = [`--max-old-space-size=${heapMiB}`, `--max-semi-space-size=${semiSpaceMiB}`];
  const words = [...heap, ...process.execArgv, ...process.argv.slice(1)];
  const { status, signal, error } = spawnSync(process.execPath, words, { stdio: "inherit" });
  if (error !== undefined) throw error;
  if (signal === heapIsFull || status === 128 + 6) {
    throw new OperationError(
      "memory",
      `the history needs more memory than the ${heapMiB} MiB that it was given (${Math.floor(freemem() / 2 ** 20)} MiB are free)`,
      "Judge it on a larger machine, or key by key.",
    );
  }
  return status ?? undefined;
}

/** 0 for what can't be read: the reader says why. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
