import { type Event, isSettling, pairOperations } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";

/**
 * Nobody waits for ever, as far as a run can tell: what clients had begun, and what they began once all faults were
 * undone, has ended by the time at which they stopped waiting (model/recipes/client-operations.ts: SETTLING). An
 * operation without an answer ended, too: its client gave it up. O(n).
 */
export function checkProgress(events: readonly Event[]): Verdict {
  const promise = new PromiseCheck("progress");
  const begin = events.find((event) => isSettling(event, "settling"));
  const end = events.findLast((event) => isSettling(event, "settled"));
  const what = "once all faults are undone, nobody waits for ever";
  if (begin === undefined || end === undefined) return promise.verdict(what, "operations");
  const waitedMs = Math.round((end.time - begin.time) / 1e6);
  for (const { process, f, invocation, completion } of pairOperations(events)) {
    if (typeof process !== "string") continue;
    if (completion !== undefined && completion.index < begin.index) continue;
    promise.checked();
    if (completion !== undefined && completion.index < end.index) continue;
    const since = `begun at event ${invocation.index}`;
    promise.broken(`${process}'s ${f}, ${since}, has not ended ${waitedMs} ms after the last fault`, end, [
      invocation,
    ]);
  }
  return promise.verdict(what, "operations");
}
