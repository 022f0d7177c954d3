import type { Event } from "../../model/index.ts";
import { readHistory } from "../zookeeper/history/intake.ts";

/**
 * Until when each session was certainly alive: the index of the invocation of its last write that got a zxid of its
 * own. Reads prove nothing, as a server that is cut off answers them for sessions that have expired elsewhere.
 */
export function signsOfLife(events: readonly Event[]): ReadonlyMap<string, number> {
  const alive = new Map<string, number>();
  for (const { session, hasPosition, invokedAt } of readHistory(events).steps)
    if (hasPosition) alive.set(session, Math.max(invokedAt, alive.get(session) ?? -1));
  return alive;
}
