import type { Schedule } from "../faults/schedule.ts";
import { duration } from "../progress.ts";

/** What of a run can be made smaller. All else, the seed first, stays as it is. */
export interface Candidate {
  readonly durationMs: number;
  readonly clients: number;
  readonly schedule: Schedule;
}

/** Whether a candidate fails as the run did; a candidate of which that could not be found out does not. */
export type Fails = (candidate: Candidate) => Promise<boolean>;

/** The candidate without what cannot happen in it: faults that would begin after its end. Two that do the same look the same. */
export function effective({ durationMs, clients, schedule }: Candidate): Candidate {
  const began = schedule.filter(({ startMs }) => startMs < durationMs);
  const cut = began.map((fault) => ({
    ...fault,
    holdMs: Math.min(fault.holdMs, durationMs - fault.startMs),
  }));
  return { durationMs, clients, schedule: cut.toSorted((a, b) => a.startMs - b.startMs) };
}

/** "3 faults held for 4.2 s, 12 s, 4 clients". */
export function sizeOf(candidate: Candidate): string {
  const { durationMs, clients, schedule } = candidate;
  const heldMs = schedule.reduce((sum, { holdMs }) => sum + holdMs, 0);
  const faults = `${schedule.length} ${schedule.length === 1 ? "fault" : "faults"} held for ${duration(heldMs)}`;
  return `${faults}, ${duration(durationMs)}, ${clients} ${clients === 1 ? "client" : "clients"}`;
}
