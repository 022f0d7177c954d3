import type { Json, Zxid } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import type { Acknowledged } from "./acknowledged.ts";
import { firstAtLeast } from "../ascending.ts";
import { PromiseCheck } from "./findings.ts";
import type { Knowledge } from "./history/knowledge.ts";
import { eachSighting, type SeeStat } from "./mentions.ts";
import type { See } from "./passes.ts";
import type { EventReference, RecordedEvents } from "./history/recorded-events.ts";
import type { Step } from "./history/steps.ts";
import type { ZookeeperHistory } from "./history/zookeeper-history.ts";

/**
 * Real time among writes: a write that began after another was acknowledged has the greater zxid, and no two have the
 * same one. To be shown the positioned ones in order of their invocations.
 */
export function writeOrder(
  { knowledge }: Pick<ZookeeperHistory, "knowledge">,
  acknowledged: Acknowledged,
  promise: PromiseCheck,
): See {
  const newestBefore = knowledge.writes.along();
  return (step) => {
    promise.checked();
    const before = newestBefore(step.invokedAt);
    if (before !== undefined && before.zxid >= step.zxid) {
      promise.broken(
        `${nameOf(step)} got zxid ${show(step.zxid)}, not above ${show(before.zxid)} of ${nameOf(before)}, ` +
          "which was acknowledged before it began",
        step.reply,
        [before.invocation, before.completion, step.invocation],
      );
    }
    const other = acknowledged.at(step.zxid);
    if (other !== undefined && other !== step) {
      const completion = step.reply;
      promise.broken(
        `${nameOf(step)} and ${nameOf(other)} were both acknowledged at zxid ${show(step.zxid)}`,
        later(completion, other.reply),
        [step.invocation, other.invocation, completion, other.completion],
      );
    }
  };
}

/**
 * Nothing is read before it is written: no reply shows a zxid above its own, and no write gets a zxid that a reply had
 * reached before the write began.
 */
export class FutureCheck {
  readonly promise: PromiseCheck = new PromiseCheck("never-from-the-future");
  /** To be shown all steps in order of their invocations. */
  readonly see: See;

  constructor({ knowledge }: Pick<ZookeeperHistory, "knowledge">) {
    const { promise } = this;
    const see: SeeStat = (path, { czxid, mzxid, pzxid }, step) => {
      promise.checked();
      if (mzxid <= step.zxid && pzxid <= step.zxid && czxid <= step.zxid) return;
      const what = `${nameOf(step)} was answered at zxid ${show(step.zxid)}`;
      const shown = `${what} and shows zxid ${show(Math.max(czxid, mzxid, pzxid))} on ${path}`;
      promise.broken(shown, step.reply, [step.invocation]);
    };
    const newestBefore = knowledge.reads.along();
    this.see = (step) => {
      if (!step.isAnswered || step.zxid <= 0) return;
      if (step.hasPosition) {
        const reader = newestBefore(step.invokedAt);
        promise.checked();
        if (reader !== undefined && reader.zxid >= step.zxid) {
          const what = `${nameOf(reader)} was answered at zxid ${show(reader.zxid)} before ${nameOf(step)} began`;
          promise.broken(`${what}, which got zxid ${show(step.zxid)}`, step.reply, [
            reader.invocation,
            reader.completion,
            step.invocation,
          ]);
        }
      }
      eachSighting(step, see);
    };
  }
}

/**
 * A read after a sync should show every write that was acknowledged before the sync began. ZooKeeper does not promise
 * it (ZOOKEEPER-1675: sync asks no quorum), so that stale ones are counted and told, and violate nothing.
 */
export function checkSyncedReads({
  synced: reads,
  knowledge,
}: Pick<ZookeeperHistory, "synced" | "knowledge">): Verdict {
  let [synced, stale] = [0, 0];
  let first: { step: Step; missed: Step } | undefined;
  for (const step of reads) {
    const since = step.syncedSince;
    if (since === undefined || !step.isAnswered || step.isWrite || step.zxid <= 0 || step.op === "sync")
      continue;
    synced++;
    const missed = knowledge.writes.before(since);
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
    `the first is event ${step.invokedAt}, which misses the write of event ${missed.invokedAt}`;
  const evidence: Json = { read: step.invokedAt, missed: missed.invokedAt };
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
export class StalenessCheck {
  readonly #knowledge: Knowledge;
  readonly #events: RecordedEvents;
  readonly #ages: number[] = [];
  #oldest: { readonly step: Step; readonly missed: Step; readonly ms: number } | undefined;

  constructor({ knowledge, events }: Pick<ZookeeperHistory, "knowledge" | "events">) {
    this.#knowledge = knowledge;
    this.#events = events;
  }

  /** To be shown all steps. */
  readonly see: See = (step) => {
    if (!step.readsTree || step.outcome !== "ok" || step.zxid <= 0 || step.syncedSince !== undefined) return;
    const missed = this.#knowledge.writes.firstAbove(step.zxid);
    const isStale = missed !== undefined && missed.completedAt < step.invokedAt;
    const ms = isStale ? this.#nsBetween(missed.completedAt, step.invokedAt) / 1e6 : 0;
    this.#ages.push(ms);
    if (isStale && (this.#oldest === undefined || ms > this.#oldest.ms)) this.#oldest = { step, missed, ms };
  };

  #nsBetween(from: number, to: number): number {
    return this.#events.timeAt(to) - this.#events.timeAt(from);
  }

  verdict(options: StalenessOptions): Verdict {
    const name = "staleness";
    const [ages, oldest] = [this.#ages, this.#oldest];
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
    const earliest = step.reply.read();
    const events = [missed.reply.read(), step.invocation.read(), earliest];
    const violation = { summary, events, earliest };
    return { name, verdict: "violated", detail: `${told}: above the bound`, counts, violation };
  }
}

/** An operation in a few words: "setData /a (event 12)". */
export function nameOf(step: Step): string {
  return `${step.kind.f}${step.path === "" ? "" : ` ${step.path}`} (event ${step.invokedAt})`;
}

/** A zxid as ZooKeeper's logs show it. */
export function show(zxid: Zxid): string {
  return `0x${zxid.toString(16)}`;
}

function later(a: EventReference, b: EventReference): EventReference {
  return a.index > b.index ? a : b;
}
