import { type Event, pairOperations } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";
import { groupBy } from "./group.ts";
import { lossAfter, type Losses, lossesOf } from "./losses.ts";
import { signsOfLife } from "./signs-of-life.ts";

/** A time in which a process certainly held a lock: from the answer to its acquire to its release. */
export interface Hold {
  /** Its name, as JSON. */
  readonly lock: string;
  readonly shared: boolean;
  readonly process: number | string;
  readonly from: Event;
  /** The index of its end; Infinity where it never released. */
  readonly until: number;
  /** What ended it, where that is an event of its own. */
  readonly end: Event | undefined;
}

/**
 * Mutual exclusion by a sweep over the times of certain possession. Operations: `acquire`/`release` (or
 * `acquire-write`/`release-write`) and `acquire-read`/`release-read`; `value` names the lock, null where there is one
 * only. A lock that was `lost` (see `lossesOf`; or a release that ended info or failed) is held until then only. A
 * release gives back all that the process has acquired, or else its session: a process that ended `info` goes on under
 * another number. One that was taken with a session (evidence of the acquire) is held as long as that session shows
 * life at most: later it may have expired, and its client cannot know. Such holds are counted.
 *
 * Sound and complete for locks without owners: holders can take turns if and only if their certain times do not
 * overlap, as then each may be thought to acquire at the answer and to release at the request. O(n log n).
 */
export function checkLocks(events: readonly Event[]): Verdict[] {
  const promise = new PromiseCheck("mutual-exclusion");
  const believed = holdsOf(events);
  const certain = whileAlive(believed, events);
  for (const holds of groupBy(certain, ({ lock }) => lock).values()) sweep(holds, promise);
  const kept = new Set(certain);
  const doubtful = believed.filter((hold) => !kept.has(hold)).length;
  if (doubtful > 0) promise.count("held beyond the last sign of life", doubtful);
  return [promise.verdict("no two hold a lock that excludes each other", "times of possession")];
}

/** All holds that are certain, in the order of their invocations. */
export function certainHolds(events: readonly Event[]): readonly Hold[] {
  return whileAlive(holdsOf(events), events);
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
      holds.push({ lock, shared, process, from: completion, until: Infinity, end: undefined });
      continue;
    }
    for (const at of keys.map((key) => open.get(key)).find((own) => own !== undefined) ?? []) {
      const hold = holds[at] as Hold;
      if (hold.end === undefined) holds[at] = { ...hold, until: invocation.index, end: invocation };
    }
    for (const key of keys) open.delete(key);
  }
  const losses = lossesOf(events);
  return losses.size === 0 ? holds : holds.map((hold) => upToLoss(hold, losses));
}

/** The hold, ended by the first loss of its process or session that falls into it. */
function upToLoss(hold: Hold, losses: ReadonlyMap<number | string, Losses>): Hold {
  let ended = hold;
  for (const owner of [hold.process, hold.from.session ?? hold.process]) {
    const end = lossAfter(losses.get(owner), hold.from.index);
    if (end !== undefined && end.index < ended.until) ended = { ...hold, until: end.index, end };
  }
  return ended;
}

/** The holds that are certain, each as long as its session shows life. */
function whileAlive(holds: readonly Hold[], events: readonly Event[]): readonly Hold[] {
  if (holds.every(({ from }) => from.session === undefined)) return holds;
  const alive = signsOfLife(events);
  return holds.flatMap((hold) => {
    const { session, index } = hold.from;
    if (session === undefined) return [hold];
    const until = alive.get(session) ?? -1;
    if (until < index) return [];
    return [until < hold.until ? { ...hold, until, end: undefined } : hold];
  });
}

/** Of all holders before, the writer and the reader who hold longest are those who may stand in the way. */
function sweep(holds: readonly Hold[], promise: PromiseCheck): void {
  let writer: Hold | undefined;
  let reader: Hold | undefined;
  for (const hold of holds.toSorted((a, b) => a.from.index - b.from.index)) {
    promise.checked();
    const holder = [writer, hold.shared ? undefined : reader].find(
      (other) => other !== undefined && other.until > hold.from.index,
    );
    if (holder !== undefined) {
      const name = hold.lock === "null" ? "the lock" : `the lock ${hold.lock}`;
      const what = `process ${hold.process} was given ${name} (event ${hold.from.index})`;
      const others = [holder.from, holder.end];
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
  return a !== undefined && a.until >= b.until ? a : b;
}
