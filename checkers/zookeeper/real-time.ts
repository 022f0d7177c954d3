import type { Event, Json, Zxid } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import type { Acknowledged } from "./acknowledged.ts";
import { firstAtLeast } from "./facts.ts";
import { PromiseCheck } from "./findings.ts";
import { eachSighting, type SeeStat } from "./mentions.ts";
import type { Step, ZookeeperHistory } from "./steps.ts";

/** The newest zxid of a kind of reply, as it grows along the history; asked by event index. */
class Newest {
  readonly #indexes: number[] = [];
  readonly #zxids: Zxid[] = [];
  readonly #steps: Step[] = [];

  /** Steps have to come in the order of their completions. */
  add(step: Step): void {
    const last = this.#zxids.at(-1);
    if (last !== undefined && step.zxid <= last) return;
    this.#indexes.push(step.completedAt);
    this.#zxids.push(step.zxid);
    this.#steps.push(step);
  }

  /** The reply with the newest zxid among those that came before the event. */
  before(index: number): Step | undefined {
    return this.#steps[firstAtLeast(this.#indexes, index) - 1];
  }

  /** The same for events of which none is asked for before an earlier one. */
  along(): (index: number) => Step | undefined {
    let next = 0;
    return (index) => {
      while ((this.#indexes[next] ?? Infinity) < index) next++;
      return this.#steps[next - 1];
    };
  }

  /** The first reply that carried a zxid above the given one. */
  firstAbove(zxid: Zxid): Step | undefined {
    return this.#steps[firstAtLeast(this.#zxids, zxid + 1)];
  }
}

/** What was known when, by zxid. */
export interface Knowledge {
  readonly writes: Newest;
  readonly reads: Newest;
}

/** Goes once over the replies in the order in which they came. */
export function knowledgeOf(history: ZookeeperHistory): Knowledge {
  const knowledge = { writes: new Newest(), reads: new Newest() };
  history.answered.forEach((step) => {
    if (step.zxid <= 0) return;
    if (step.hasPosition) knowledge.writes.add(step);
    else if (!step.isWrite) knowledge.reads.add(step);
  });
  return knowledge;
}

/**
 * Real time among writes: a write that began after another was acknowledged has the greater zxid, and no two have the
 * same one. O(n log n) by a sweep in the order of completions.
 */
export function checkWriteOrder(
  history: ZookeeperHistory,
  knowledge: Knowledge,
  acknowledged: Acknowledged,
  promise: PromiseCheck,
): void {
  const newestBefore = knowledge.writes.along();
  history.positioned.forEach((step) => {
    promise.checked();
    const completion = step.completion as Event;
    const before = newestBefore(step.invokedAt);
    if (before !== undefined && before.zxid >= step.zxid) {
      promise.broken(
        `${nameOf(step)} got zxid ${show(step.zxid)}, not above ${show(before.zxid)} of ${nameOf(before)}, ` +
          "which was acknowledged before it began",
        completion,
        [before.invocation, before.completion, step.invocation],
      );
    }
    const other = acknowledged.at(step.zxid);
    if (other !== undefined && other !== step) {
      promise.broken(
        `${nameOf(step)} and ${nameOf(other)} were both acknowledged at zxid ${show(step.zxid)}`,
        later(completion, other.completion as Event),
        [step.invocation, other.invocation, completion, other.completion],
      );
    }
  });
}

/**
 * Nothing is read before it is written: no reply shows a zxid above its own, and no write gets a zxid that a reply had
 * reached before the write began.
 */
export function checkFuture(history: ZookeeperHistory, knowledge: Knowledge): PromiseCheck {
  const promise = new PromiseCheck("never-from-the-future");
  const see: SeeStat = (path, { czxid, mzxid, pzxid }, step) => {
    promise.checked();
    if (mzxid <= step.zxid && pzxid <= step.zxid && czxid <= step.zxid) return;
    const what = `${nameOf(step)} was answered at zxid ${show(step.zxid)}`;
    const shown = `${what} and shows zxid ${show(Math.max(czxid, mzxid, pzxid))} on ${path}`;
    promise.broken(shown, step.completion as Event, [step.invocation]);
  };
  const newestBefore = knowledge.reads.along();
  history.steps.forEach((step) => {
    if (!step.isAnswered || step.zxid <= 0) return;
    if (step.hasPosition) {
      const reader = newestBefore(step.invokedAt);
      promise.checked();
      if (reader !== undefined && reader.zxid >= step.zxid) {
        const what = `${nameOf(reader)} was answered at zxid ${show(reader.zxid)} before ${nameOf(step)} began`;
        promise.broken(`${what}, which got zxid ${show(step.zxid)}`, step.completion as Event, [
          reader.invocation,
          reader.completion,
          step.invocation,
        ]);
      }
    }
    eachSighting(step, see);
  });
  return promise;
}

/**
 * A read after a sync should show every write that was acknowledged before the sync began. ZooKeeper does not promise
 * it (ZOOKEEPER-1675: sync asks no quorum), so that stale ones are counted and told, and violate nothing.
 */
export function checkSyncedReads(history: ZookeeperHistory, knowledge: Knowledge): Verdict {
  let [synced, stale] = [0, 0];
  let first: { step: Step; missed: Step } | undefined;
  for (const step of history.synced) {
    const since = step.syncedSince;
    if (since === undefined || !step.isAnswered || step.isWrite || step.zxid <= 0 || step.op === "sync")
      continue;
    synced++;
    const missed = knowledge.writes.before(since.index);
    if (missed === undefined || missed.zxid <= step.zxid) continue;
    stale++;
    first ??= { step, missed };
  }
  const counts = { synced, "stale-sync": stale };
  const name = "synced-reads";
  if (synced === 0) {
    return { name, verdict: "holds", vacuous: true, detail: "no read followed a sync", counts };
  }
  if (first === undefined) {
    const detail = `each of ${synced} reads after a sync shows every write acknowledged before the sync began`;
    return { name, verdict: "holds", detail, counts };
  }
  const { step, missed } = first;
  const detail =
    `${stale} of ${synced} reads after a sync are stale (class stale-sync, which ZooKeeper does not rule out); ` +
    `the first is event ${step.invocation.index}, which misses the write of event ${missed.invocation.index}`;
  const evidence: Json = { read: step.invocation.index, missed: missed.invocation.index };
  return { name, verdict: "holds", detail, counts, evidence };
}

export interface StalenessOptions {
  /** More than this many ms is a violation; without it staleness is only told. */
  readonly staleMsMax?: number;
}

const percentiles = [50, 90, 99, 99.9, 100] as const;

/**
 * How old the trees are that plain reads show: for a read at zxid z, the time from the first acknowledgement of a write
 * above z to the read's beginning; 0 where there is none.
 */
export function checkStaleness(
  history: ZookeeperHistory,
  knowledge: Knowledge,
  options: StalenessOptions,
): Verdict {
  const name = "staleness";
  const ages: number[] = [];
  let oldest: { step: Step; missed: Step; ms: number } | undefined;
  history.treeReads.forEach((step) => {
    if (step.outcome !== "ok" || step.zxid <= 0 || step.syncedSince !== undefined) return;
    const missed = knowledge.writes.firstAbove(step.zxid);
    const completed = missed?.completion;
    const isStale = completed !== undefined && missed !== undefined && missed.completedAt < step.invokedAt;
    const ms = isStale ? (step.invocation.time - completed.time) / 1e6 : 0;
    ages.push(ms);
    if (isStale && missed !== undefined && (oldest === undefined || ms > oldest.ms))
      oldest = { step, missed, ms };
  });
  if (ages.length === 0)
    return { name, verdict: "holds", vacuous: true, detail: "no plain read was answered" };
  const sorted = Float64Array.from(ages).sort();
  const at = (percent: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
  const stale = sorted.length - firstAtLeast(sorted, Number.MIN_VALUE);
  const counts: { [name: string]: number } = { reads: ages.length, stale };
  for (const percent of percentiles) counts[`p${percent} ms`] = at(percent);
  const share = ((100 * stale) / ages.length).toFixed(1);
  const told = `${share} % of ${ages.length} plain reads are stale, at most by ${at(100).toFixed(1)} ms`;
  if (oldest === undefined || options.staleMsMax === undefined || oldest.ms <= options.staleMsMax) {
    return { name, verdict: "holds", detail: told, counts };
  }
  const { step, missed } = oldest;
  const summary =
    `${nameOf(step)} misses ${nameOf(missed)}, acknowledged ${oldest.ms.toFixed(1)} ms before it began; ` +
    `the bound is ${options.staleMsMax} ms`;
  const events = [missed.completion as Event, step.invocation, step.completion as Event];
  const violation = { summary, events, earliest: step.completion as Event };
  return { name, verdict: "violated", detail: `${told}: above the bound`, counts, violation };
}

/** An operation in a few words: "setData /a (event 12)". */
export function nameOf(step: Step): string {
  return `${step.invocation.f}${step.path === "" ? "" : ` ${step.path}`} (event ${step.invocation.index})`;
}

/** A zxid as ZooKeeper's logs show it. */
export function show(zxid: Zxid): string {
  return `0x${zxid.toString(16)}`;
}

function later(a: Event, b: Event): Event {
  return a.index > b.index ? a : b;
}
