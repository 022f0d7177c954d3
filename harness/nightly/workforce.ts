import { doJob, type Workplace } from "./do-job.ts";
import type { Job } from "./job.ts";
import type { Disposition } from "./job-result.ts";

/** Told of a job while it is done. */
export interface JobEvents {
  /** It begins, here or elsewhere; on this machine there is no process yet. */
  readonly started: () => void;
  /** Its process on this machine exists. */
  readonly running: (pid: number) => void;
}

/** Who does a night's jobs. */
export interface Workforce {
  /** Does a job, and resolves to what came of it; undefined where it was stopped before it had its turn. */
  perform(job: Job, stop: AbortSignal, events: JobEvents): Promise<Disposition | undefined>;
  /** What came of a job is on disk, or will never be wanted. */
  settled(job: Job): Promise<void>;
}

/** Jobs are done by this machine. */
export function localWorkforce(place: Workplace): Workforce {
  return {
    perform(job, stop, { started, running }) {
      // Before there is a process: who takes the night up must know that there may be one.
      started();
      return doJob(job, place, stop, running);
    },
    settled: async () => undefined,
  };
}
