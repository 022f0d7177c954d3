import type { Job } from "./job.ts";

/** What jobs may use together. */
export interface Capacity {
  readonly memoryBytes: number;
  readonly processors: number;
}

/**
 * The first job that may begin beside those that run: while nothing runs any may, however large it is, or it would
 * never have its turn. Not a queue of promises with so many at a time (p-queue): jobs differ in what they take.
 */
export function nextJob(
  waiting: readonly Job[],
  running: readonly Job[],
  { memoryBytes, processors }: Capacity,
): Job | undefined {
  if (running.length === 0) return waiting[0];
  const freeBytes = memoryBytes - running.reduce((sum, job) => sum + job.memoryBytes, 0);
  const freeProcessors = processors - running.reduce((sum, job) => sum + job.processors, 0);
  return waiting.find((job) => job.memoryBytes <= freeBytes && job.processors <= freeProcessors);
}
