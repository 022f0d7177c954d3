import { type Event, pairOperations } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";
import { groupBy } from "./group.ts";
import { lossAfter, type Losses, lossesOf } from "./losses.ts";

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
 * only. A lock that was `lost` (see `lossesOf`; or a release that ended info or failed) is held until then only. A
 * release gives back all that the process has acquired, or else its session: a process that ended `info` goes on under
 * another number.
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
  /** By holder and lock: where in `holds` those stand that nobody has released. */
  const open = new Map<string, number[]>();
  for (const { process, f, invocation, completion } of pairOperations(events)) {
    const match = /^(acquire|release)(-read|-write)?$/.exec(f);
    if (match === null) continue;
    const lock = JSON.stringify(invocation.value);
    const shared = match[2] === "-read";
    const session = completion?.session ?? invocation.session;
    const holders = [`process ${typeof process} ${process}`, ...(session === undefined ? [] : [session])];
    const keys = holders.map((holder) => `${holder} ${shared} ${lock}`);
    if (match[1] === "acquire") {
      if (completion?.type !== "ok") continue;
      for (const key of keys) open.set(key, [...(open.get(key) ?? []), holds.length]);
      holds.push({ lock, shared, process, from: completion, until: undefined });
      continue;
    }
    for (const at of keys.map((key) => open.get(key)).find((own) => own !== undefined) ?? []) {
      const hold = holds[at] as Hold;
      if (hold.until === undefined) holds[at] = { ...hold, until: invocation };
    }
    for (const key of keys) open.delete(key);
  }
  const losses = lossesOf(events);
  return losses.size === 0 ? holds : holds.map((hold) => upToLoss(hold, losses));
}

/** The hold, ended by the first loss of its process or session that falls into it. */
function upToLoss(hold: Hold, losses: ReadonlyMap<number | string, Losses>): Hold {
  let until = hold.until;
  for (const owner of [hold.process, hold.from.session ?? hold.process]) {
    const end = lossAfter(losses.get(owner), hold.from.index);
    if (end !== undefined && end.index < (until?.index ?? Infinity)) until = end;
  }
  return until === hold.until ? hold : { ...hold, until };
}

/** Of all holders before, the writer and the reader who hold longest are those who may stand in the way. */
function sweep(holds: readonly Hold[], promise: PromiseCheck): void {
  let writer: Hold | undefined;
  let reader: Hold | undefined;
  for (const hold of holds.toSorted((a, b) => a.from.index - b.from.index)) {
    promise.checked();
    const holder = [writer, hold.shared ? undefined : reader].find(
      (other) => other !== undefined && endOf(other) > hold.from.index,
    );
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
    if (hold.shared) reader = longer(reader, hold);
    else writer = longer(writer, hold);
  }
}

function longer(a: Hold | undefined, b: Hold): Hold {
  return a !== undefined && endOf(a) >= endOf(b) ? a : b;
}

/** The index of the event that ends it, Infinity where it never ends. */
function endOf({ until }: Hold): number {
  return until?.index ?? Infinity;
}
