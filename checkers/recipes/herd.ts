import { type Event, nodeName, parseWatchEvent, sequenceNumber } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";

/**
 * No herd: the departure of a znode that waits in a queue wakes one client at most. `counts` says which paths are such;
 * of them those with a number, which no other znode will have. O(n).
 */
export function checkHerd(events: readonly Event[], counts: (path: string) => boolean): Verdict {
  const promise = new PromiseCheck("no-herd");
  const woken = new Map<string, { readonly first: Event; readonly session: string }>();
  for (const event of events) {
    const watch = parseWatchEvent(event);
    if (watch?.type !== "NodeDeleted") continue;
    const { path, session } = watch;
    if (sequenceNumber(nodeName(path)) === undefined || !counts(path)) continue;
    const before = woken.get(path);
    if (before === undefined) {
      promise.checked();
      woken.set(path, { first: event, session });
    } else if (before.session !== session) {
      promise.broken(`the departure of ${path} woke two sessions, ${before.session} and ${session}`, event, [
        before.first,
      ]);
    }
  }
  return promise.verdict("a departure wakes one client at most", "departures");
}
