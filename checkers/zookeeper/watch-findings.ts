import type { Zxid } from "../../model/index.ts";
import type { PromiseCheck } from "./findings.ts";
import { nameOf, show } from "./real-time.ts";
import { EventReference, type RecordedEvents } from "./history/recorded-events.ts";
import type { Change } from "./replay-state.ts";
import type { Step } from "./history/steps.ts";
import type { WatchStep } from "./history/zookeeper-history.ts";
import { eventOf, type WatchList } from "./watch-kinds.ts";
import type { Registration } from "./watch-table.ts";

/** An event that was delivered. */
export interface ToldEvent {
  readonly zxid: Zxid;
  /** In the history. */
  readonly index: number;
}

/** Words what breaks the promises of watches. */
export class WatchFindings {
  readonly #promise: PromiseCheck;
  readonly #events: RecordedEvents;

  constructor(promise: PromiseCheck, events: RecordedEvents) {
    this.#promise = promise;
    this.#events = events;
  }

  /** Something shows a change that a watch should have told by then. */
  left(change: Change, { kind, path, step, zxid }: Registration, seenAt: number): void {
    const what = `the ${kind} watch on ${path}, set by ${nameOf(step)} at zxid ${show(zxid)}`;
    const of = change.path === path ? "" : ` of ${change.path}`;
    const missing = `did not tell the change at zxid ${show(change.zxid)}${of} before event ${seenAt} showed it`;
    const which = `${eventOf[change.type]} is missing`;
    this.#promise.broken(`${what}, ${missing}: ${which}`, this.#event(seenAt), [
      step.invocation,
      step.completion,
    ]);
  }

  afterReply(watch: WatchStep, reply: Step): void {
    const what = `the event ${nameOfEvent(watch)} came after the reply to ${nameOf(reply)}`;
    this.#promise.broken(`${what}, which shows zxid ${show(reply.zxid)}`, this.#event(watch.index), [
      reply.completion,
    ]);
  }

  outOfOrder(watch: WatchStep, before: ToldEvent): void {
    const { session, index } = watch;
    const what = `session ${session} was told of zxid ${show(before.zxid)} at event ${before.index}`;
    this.#promise.broken(`${what}, then of ${nameOfEvent(watch)}`, this.#event(index));
  }

  answerAfterEvent(step: Step, told: ToldEvent): void {
    const what = `${nameOf(step)} was answered at zxid ${show(step.zxid)}`;
    const after = `after an event of zxid ${show(told.zxid)} (event ${told.index})`;
    this.#promise.broken(`${what}, ${after}`, step.reply);
  }

  noWatch(watch: WatchStep): void {
    const why =
      "for which it had no watch: it was never set, or has fired before, or had something else to tell first";
    this.#broken(watch, why);
  }

  notMade(watch: WatchStep): void {
    this.#broken(watch, "which is no change that this transaction made");
  }

  tooOften(watch: WatchStep): void {
    this.#broken(watch, "once more than the change was made");
  }

  withoutZxid(watch: WatchStep): void {
    const why = "although its server tells zxids, and it was not setting watches again that had missed this";
    this.#broken(watch, why);
  }

  missedUntold(step: Step, list: WatchList, path: string, seenAt: number): void {
    const what = `${nameOf(step)} set the ${list === "children" ? "children" : "data"} watch on ${path} again`;
    const since = `what had changed since zxid ${show(step.request["relativeZxid"] as number)} was not told`;
    this.#promise.broken(`${what}, and ${since}`, this.#event(seenAt), [step.invocation, step.completion]);
  }

  #event(index: number): EventReference {
    return new EventReference(this.#events, index);
  }

  #broken(watch: WatchStep, why: string): void {
    this.#promise.broken(
      `session ${watch.session} was told ${nameOfEvent(watch)}, ${why}`,
      this.#event(watch.index),
    );
  }
}

function nameOfEvent({ type, path, zxid }: WatchStep): string {
  return zxid > 0 ? `${type} ${path} of zxid ${show(zxid)}` : `${type} ${path} without a zxid`;
}
