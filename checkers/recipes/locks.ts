import { type Event, pairOperations } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";
import { groupBy } from "./group.ts";

/** A time in which a process certainly held a lock: from the answer to its acquire to its release. */
interface Hold {
  readonly lock: string;
  readonly shared: boolean;
  readonly process: number | string;
  readonly from: Event;
  /** Undefined where it never released. */
  readonly until: Event | undefined;
}

/**
 * Mutual exclusion by a sweep over the times of certain possession. Operations: `acquire`/`release` (or
 * `acquire-write`/`release-write`) and `acquire-read`/`release-read`; `value` names the lock, null where there is one
 * only. A lock that was `lost` (an info event of the process with that f, or a release that ended info or failed) is
 * held until then only.
 *
 * Sound and complete for locks without owners: holders can take turns if and only if their certain times do not
 * overlap, as then each may be thought to acquire at the answer and to release at the request. O(n log n).
 */
export function checkLocks(events: readonly Event[]): Verdict[] {
  const promise = new PromiseCheck("mutual-exclusion");
  const byLock = groupBy(holdsOf(events), ({ lock }) => lock);
  for (const holds of byLock.values()) sweep(holds, promise);
  return [promise.verdict("no two hold a lock that excludes each other", "times of possession")];
}

function holdsOf(events: readonly Event[]): Hold[] {
  const holds: Hold[] = [];
  const open = new Map<string, number>();
  const lost = events.filter((event) => event.f === "lost");
  for (const { process, f, invocation, completion } of pairOperations(events)) {
    const match = /^(acquire|release)(-read|-write)?$/.exec(f);
    if (match === null) continue;
    const lock = JSON.stringify(invocation.value);
    const key = `${process} ${lock} ${match[2] ?? "-write"}`;
    if (match[1] === "acquire") {
      if (completion?.type !== "ok") continue;
      open.set(key, holds.length);
      holds.push({ lock, shared: match[2] === "-read", process, from: completion, until: undefined });
      continue;
    }
    const at = open.get(key);
    const hold = at === undefined ? undefined : holds[at];
    if (at !== undefined && hold !== undefined) holds[at] = { ...hold, until: invocation };
    open.delete(key);
  }
  return holds.map((hold) => {
    const end = lost.find((event) => event.process === hold.process && event.index > hold.from.index);
    return end !== undefined && (hold.until === undefined || end.index < hold.until.index)
      ? { ...hold, until: end }
      : hold;
  });
}

function sweep(holds: readonly Hold[], promise: PromiseCheck): void {
  let writer: Hold | undefined;
  let readers: Hold[] = [];
  for (const hold of holds.toSorted((a, b) => a.from.index - b.from.index)) {
    promise.checked();
    const over = (other: Hold): boolean => other.until !== undefined && other.until.index < hold.from.index;
    if (writer !== undefined && over(writer)) writer = undefined;
    if (!hold.shared) readers = readers.filter((reader) => !over(reader));
    const holder = writer ?? (hold.shared ? undefined : readers[0]);
    if (holder !== undefined) {
      const name = hold.lock === "null" ? "the lock" : `the lock ${hold.lock}`;
      const what = `process ${hold.process} was given ${name} (event ${hold.from.index})`;
      const others = [holder.from, holder.until];
      promise.broken(
        `${what} while process ${holder.process} held it since event ${holder.from.index}`,
        hold.from,
        others,
      );
    }
    if (hold.shared) readers.push(hold);
    else if (writer === undefined || later(hold, writer)) writer = hold;
  }
}

function later(a: Hold, b: Hold): boolean {
  return (a.until?.index ?? Infinity) > (b.until?.index ?? Infinity);
}
