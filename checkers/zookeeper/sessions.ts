import type { Zxid } from "../../model/index.ts";
import { PromiseCheck } from "./findings.ts";
import type { See } from "./passes.ts";
import { EventReference, type RecordedEvents } from "./history/recorded-events.ts";
import { nameOf, show } from "./real-time.ts";
import type { Step } from "./history/steps.ts";
import type { ZookeeperHistory } from "./history/zookeeper-history.ts";

/** A session that was found to have ended by itself. */
export interface Expiry {
  readonly session: string;
  readonly zxid: Zxid;
  /** Index of the reply or event that showed it. */
  readonly seenAt: number;
}

export interface SessionOptions {
  /**
   * How much earlier than its timeout a session may seem to have expired: the server counts from when it heard the
   * client, the history from when the client noted that it was connected. 1000 unless told.
   */
  readonly expirySlackMs?: number;
}

/**
 * The end of sessions: after a session was closed or said to be expired, no operation of it succeeds; and it does not
 * expire before its timeout has passed since it was opened.
 *
 * Differs: the timeout is counted from the opening only, which a quorum has committed. A follower tells its leader of
 * its clients' life with its own pings, so that operations right before a partition extend a session for nobody; and
 * a session that moves to a server whose leader is deposed already is extended by that one alone, while the new
 * leader expires it in its own time (seen on 3.9.5).
 */
export class SessionEndCheck {
  readonly promise: PromiseCheck = new PromiseCheck("session-end");
  /** Index of the event that told it, by session. */
  readonly #ended = new Map<string, number>();
  readonly #closed = new Set<string>();
  readonly #expired = new Set<string>();
  readonly #connected = new Map<string, Opening[]>();
  readonly #events: RecordedEvents;

  constructor({ sessions, closings, events }: Pick<ZookeeperHistory, "sessions" | "closings" | "events">) {
    this.#events = events;
    for (const { index, what } of sessions) {
      const { f, session } = what;
      if (f === "connect") {
        if (what.resumed) continue;
        const known = this.#connected.get(session);
        const opening = { index, timeoutMs: what.timeoutMs };
        if (known === undefined) this.#connected.set(session, [opening]);
        else known.push(opening);
      } else if (f === "session-expired" && !this.#ended.has(session)) {
        this.#ended.set(session, index);
        this.#expired.add(session);
      }
    }
    for (const step of closings) {
      this.#closed.add(step.session);
      if (step.outcome === "ok") this.#ended.set(step.session, step.completedAt);
    }
  }

  /** To be shown all steps. */
  readonly see: See = (step) => {
    if (step.outcome !== "ok") return;
    const end = this.#ended.get(step.session);
    if (end === undefined || step.invokedAt < end) return;
    const what = `session ${step.session} was over at event ${end}`;
    this.promise.broken(`${what}, and ${nameOf(step)} succeeded`, step.reply, [
      new EventReference(this.#events, end),
      step.invocation,
    ]);
  };

  /** None ended before its time: of those that are said to have expired, and the `expiries` that were found. */
  checkExpiries(expiries: readonly Expiry[], options: SessionOptions): void {
    this.promise.checked(this.#ended.size + expiries.length);
    const slackNs = (options.expirySlackMs ?? 1000) * 1e6;
    for (const { session, seenAt } of expiries) this.#checkExpiry(session, seenAt, slackNs);
    for (const session of this.#expired)
      this.#checkExpiry(session, this.#ended.get(session) as number, slackNs);
  }

  #checkExpiry(session: string, seenAt: number, slackNs: number): void {
    if (this.#closed.has(session)) return;
    const last = this.#connected.get(session)?.findLast(({ index }) => index < seenAt);
    if (last === undefined) return;
    const ns = this.#events.timeAt(seenAt) - this.#events.timeAt(last.index);
    if (ns + slackNs >= last.timeoutMs * 1e6) return;
    const ms = (ns / 1e6).toFixed(0);
    const what = `session ${session} with a timeout of ${last.timeoutMs} ms`;
    this.promise.broken(
      `${what} was expired ${ms} ms after it was opened`,
      new EventReference(this.#events, seenAt),
      [new EventReference(this.#events, last.index)],
    );
  }
}

interface Opening {
  /** The event's. */
  readonly index: number;
  readonly timeoutMs: number;
}

/**
 * The numbers of sequential nodes: unique for each parent, and growing with the zxid; without zxids, growing wherever
 * one create was acknowledged before the other began.
 */
export function checkSequentialNodes(history: ZookeeperHistory): PromiseCheck {
  const promise = new PromiseCheck("sequential-nodes");
  const byParent = new Map<string, Numbered[]>();
  for (const step of history.creates) {
    if (step.outcome !== "ok" || !step.createsSequential) continue;
    const { created } = step;
    const parent = created.slice(0, created.lastIndexOf("/")) || "/";
    // A parent that is deleted and created again numbers from 0 again.
    if (history.deletedPaths.has(parent)) continue;
    promise.checked();
    if (!created.startsWith(step.path) || !/^(\d{10}|-\d{9})$/.test(created.slice(step.path.length))) {
      promise.broken(`${nameOf(step)} was answered ${created}, not its path with a number`, step.reply, [
        step.invocation,
      ]);
      continue;
    }
    const numbered = { step, number: Number(created.slice(step.path.length)) };
    const siblings = byParent.get(parent);
    if (siblings === undefined) byParent.set(parent, [numbered]);
    else siblings.push(numbered);
  }
  for (const siblings of byParent.values()) {
    checkUnique(siblings, promise);
    checkGrowing(siblings, promise);
    checkGrowingInTime(siblings, promise);
  }
  return promise;
}

interface Numbered {
  readonly step: Step;
  readonly number: number;
}

function checkUnique(siblings: readonly Numbered[], promise: PromiseCheck): void {
  const first = new Map<number, Step>();
  for (const { step, number } of siblings) {
    const other = first.get(number);
    if (other === undefined) {
      first.set(number, step);
      continue;
    }
    const what = `${nameOf(other)} and ${nameOf(step)} were both given the number ${number}`;
    promise.broken(what, step.reply, [other.invocation, other.completion, step.invocation]);
  }
}

function checkGrowing(siblings: readonly Numbered[], promise: PromiseCheck): void {
  const known = siblings.filter(({ step }) => step.zxid > 0).sort((a, b) => a.step.zxid - b.step.zxid);
  known.forEach(({ step, number }, i) => {
    const before = known[i - 1];
    if (before === undefined || before.number < number || before.step.zxid === step.zxid) return;
    const what = `${nameOf(before.step)} was given ${before.number} at zxid ${show(before.step.zxid)}`;
    promise.broken(`${what}, ${nameOf(step)} ${number} at the later ${show(step.zxid)}`, step.reply, [
      before.step.invocation,
      before.step.completion,
      step.invocation,
    ]);
  });
}

function checkGrowingInTime(siblings: readonly Numbered[], promise: PromiseCheck): void {
  const byCompletion = [...siblings].sort((a, b) => a.step.completedAt - b.step.completedAt);
  let greatest: Numbered | undefined;
  let next = 0;
  for (const { step, number } of siblings) {
    for (; next < byCompletion.length; next++) {
      const other = byCompletion[next] as Numbered;
      if (other.step.completedAt > step.invokedAt) break;
      if (greatest === undefined || other.number > greatest.number) greatest = other;
    }
    if (greatest === undefined || greatest.number < number) continue;
    const what = `${nameOf(greatest.step)} had been given ${greatest.number} before ${nameOf(step)} began`;
    promise.broken(`${what}, which was given ${number}`, step.reply, [
      greatest.step.invocation,
      greatest.step.completion,
      step.invocation,
    ]);
  }
}
