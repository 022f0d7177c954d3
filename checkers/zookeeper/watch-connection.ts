import type { WatchEventType, Zxid } from "../../model/index.ts";
import { HeldWatches } from "./held-watches.ts";
import type { MissedChange } from "./missed-changes.ts";
import { SettingAgain } from "./setting-again.ts";
import type { Step } from "./history/steps.ts";
import type { WatchStep } from "./history/zookeeper-history.ts";
import { firstAfter, type WatchedChanges } from "./watch-changes.ts";
import type { ToldEvent, WatchFindings } from "./watch-findings.ts";
import { eventOf, isSet, watchesOf, type WatchKind } from "./watch-kinds.ts";
import { covers, type Registration, tells } from "./watch-table.ts";

/** What is the same for all connections of a history. */
export interface WatchFacts {
  readonly changes: WatchedChanges;
  readonly missed: ReadonlyMap<Step, readonly MissedChange[]>;
  /** Where ACLs may hide events, none can be demanded. */
  readonly mayHide: boolean;
  readonly found: WatchFindings;
  /** Whether the server of the connection that a session has at an event tells the zxids of what it tells. */
  readonly tellsZxids: (session: string, index: number) => boolean;
}

/** A request that is not known to be answered by now. */
interface Open {
  readonly step: Step;
  /** Paths of which an event came that may be from a watch that it set. */
  doubtful: readonly string[];
}

const noPaths: readonly string[] = [];

/**
 * One connection of a session, and what its server does on it: it applies transactions and takes up requests in one
 * order, and what it sends (an event for each change on which there is a watch, an answer for each request) comes in
 * that order, too. A read is answered at the zxid of the last transaction that is applied, a write at its own. So the
 * changes, and the requests with the zxids of their answers, determine everything that is sent; what was delivered is
 * compared with it, one by one.
 *
 * The history has an event when it was delivered and an answer when it was noted, which may be later. So requests that
 * ask for watches, or to be rid of them, wait until something shows that they are answered: their own note, the note of
 * a later request, an event of a later change, or one that nothing else explains.
 *
 * Where the history leaves open what the server did (a request that nobody answered, a write that may have happened at
 * any time, and events that do not tell their zxid) a watch may be a `maybe`: it can tell what nothing else explains,
 * and need not.
 */
export class Connection {
  readonly #facts: WatchFacts;
  readonly #session: string;
  /** The index of its first event, as far as is known. */
  #since: number;
  #tellsZxidsToo: boolean | undefined;
  readonly #held: HeldWatches;
  #isLost = false;
  #open: Open[] = [];
  #settingAgain: SettingAgain | undefined;
  /** The newest reply that is certain to have been delivered. */
  #newestReply: Step | undefined;
  /** The events whose zxids are known, or inferred. */
  #events: ToldEvent[] = [];
  /** How often each event of the newest zxid was told. */
  #told: Map<string, number> | undefined;

  constructor(facts: WatchFacts, session: string, since: number) {
    this.#facts = facts;
    this.#session = session;
    this.#since = since;
    this.#held = new HeldWatches({ ...facts, modesCoexist: () => this.#tellsZxids });
  }

  /** As servers do since 3.9; on those, too, watches of several modes live side by side. */
  get #tellsZxids(): boolean {
    return (this.#tellsZxidsToo ??= this.#facts.tellsZxids(this.#session, this.#since));
  }

  /** A request that asks for watches, or to be rid of them. */
  invoked(step: Step): void {
    if (this.#isLost) this.#goesOn(step.invokedAt);
    this.#open.push({ step, doubtful: noPaths });
  }

  answered(step: Step): void {
    const seenAt = step.completedAt;
    if (this.#isLost) this.#goesOn(step.invokedAt);
    // Requests are answered in their order.
    for (;;) {
      const first = this.#open[0];
      if (first === undefined || first.step.invokedAt > step.invokedAt) break;
      this.#takeUp(first, seenAt);
    }
    const again = this.#settingAgain;
    if (again !== undefined && again.step.invokedAt <= step.invokedAt) this.#setAgain(again, seenAt);
    if (step.zxid <= 0 || step.op === "addAuth") return;
    this.#passed(step, seenAt);
    const told = this.#toldBefore(step.invokedAt);
    if (told !== undefined && told.zxid > step.zxid) this.#facts.found.answerAfterEvent(step, told);
  }

  /** The last event before an index of the history. */
  #toldBefore(index: number): ToldEvent | undefined {
    let at = this.#events.length - 1;
    while (at >= 0 && (this.#events[at] as ToldEvent).index > index) at--;
    return this.#events[at];
  }

  /** Nobody was told whether a request was answered: if more requests follow, it may be on another connection. */
  lost(): void {
    this.#isLost = true;
  }

  /** Nobody knows whether the watches are still there, nor on which server, from an index of the history on. */
  #goesOn(since: number): void {
    this.#isLost = false;
    for (const { step } of this.#open) this.#held.setMaybe(watchesOf(step), step);
    const again = this.#settingAgain?.step;
    if (again !== undefined) this.#held.setMaybe(watchesOf(again), again);
    this.#held.demoteAll();
    this.#open = [];
    this.#settingAgain = this.#newestReply = undefined;
    this.#events = [];
    this.#since = since;
    this.#tellsZxidsToo = undefined;
  }

  delivered(watch: WatchStep): void {
    if (watch.zxid > 0) this.#deliveredAt(watch, watch.zxid);
    else if (this.#tellsZxids) this.#deliveredMissed(watch);
    else if (this.#facts.mayHide || this.#facts.changes.isUncertain(watch.path))
      this.#deliveredSometime(watch);
    else this.#deliveredNext(watch);
  }

  // ---- events that tell their zxid

  #deliveredAt(watch: WatchStep, zxid: Zxid): void {
    const { found } = this.#facts;
    const { index } = watch;
    for (;;) {
      const first = this.#open[0];
      if (first === undefined || (isPlaced(first.step) && first.step.zxid >= zxid)) break;
      this.#takeUp(first, index);
    }
    if (this.#settingAgain !== undefined) this.#setAgain(this.#settingAgain, index);
    const [before, reply] = [this.#events.at(-1), this.#newestReply];
    if (reply !== undefined && reply.zxid >= zxid) return found.afterReply(watch, reply);
    if (before !== undefined && before.zxid > zxid) return found.outOfOrder(watch, before);
    if (before === undefined || before.zxid < zxid) this.#told?.clear();
    this.#held.certain.goTo(zxid, index);
    this.#events.push({ zxid, index });
    const key = `${watch.type} ${watch.path}`;
    this.#told ??= new Map();
    const times = (this.#told.get(key) ?? 0) + 1;
    this.#told.set(key, times);
    if (this.#held.certain.take(watch) === undefined) this.#unforeseen(watch, zxid, times);
  }

  /** An event that no watch was known to tell at its zxid, and how often it was told by now. */
  #unforeseen(watch: WatchStep, zxid: Zxid, times: number): void {
    const { changes, found, mayHide } = this.#facts;
    const { type, path } = watch;
    const made = changes.timesMade(type, path, zxid);
    if (made === 0) return found.notMade(watch);
    for (const maybe of this.#held.maybes(type, path))
      if (this.#held.isFrom(maybe, watch, zxid) && this.#held.certain.take(watch) !== undefined) return;
    // What a watch has to tell is known, unless something may be hidden or the transaction is not known.
    const sources = mayHide || made === undefined ? this.#held.sourcesOf(watch) : [];
    if (sources.length === 0) return found.noWatch(watch);
    const mayRepeat = made === undefined && (type === "NodeChildrenChanged" || changes.unanswered.mayRepeat);
    if (times > (made ?? 1) && !mayRepeat) return found.tooOften(watch);
    for (const source of sources) if (source.isOneShot) this.#held.end(source);
  }

  // ---- events that do not

  /** On a server that tells zxids: it tells what was missed when watches are set again. */
  #deliveredMissed(watch: WatchStep): void {
    const { index, type, path } = watch;
    for (;;) {
      if (this.#settingAgain !== undefined) {
        if (this.#settingAgain.tell(type, path)) return;
        this.#setAgain(this.#settingAgain, index);
      }
      const first = this.#open[0];
      if (first === undefined || !this.#open.some(({ step }) => step.op === "setWatches")) {
        const isLost = this.#held.maybes(type, path).some(({ step }) => step.op === "setWatches");
        return isLost ? undefined : this.#facts.found.withoutZxid(watch);
      }
      this.#takeUp(first, index);
    }
  }

  /** It is what the server has to tell next: after all that comes before, nothing else. */
  #deliveredNext(watch: WatchStep): void {
    const { index, type, path } = watch;
    for (;;) {
      if (this.#held.certain.hasFired) {
        const change = this.#held.certain.take(watch);
        if (change !== undefined) this.#events.push({ zxid: change.zxid, index });
        else if (this.#held.unlessExpected(watch) === undefined) this.#facts.found.noWatch(watch);
        return;
      }
      if (this.#settingAgain !== undefined) {
        if (this.#settingAgain.tell(type, path)) return;
        this.#setAgain(this.#settingAgain, index);
      }
      const maybe = this.#held.hasMaybes ? this.#held.unlessExpected(watch) : undefined;
      if (maybe !== undefined) {
        const isOpen = this.#open.some(({ step }) => mayTell(step, watch));
        return isOpen ? this.#deliveredSometime(watch) : this.#fromMaybe(maybe, watch);
      }
      const due = this.#held.certain.nextDue;
      const first = this.#open[0];
      if (first !== undefined && (!isPlaced(first.step) || first.step.zxid < due)) {
        this.#takeUp(first, index);
        continue;
      }
      if (due === Infinity) return this.#facts.found.noWatch(watch);
      this.#held.certain.goTo(due, index);
    }
  }

  #fromMaybe(maybe: Registration, watch: WatchStep): void {
    const { changes, found } = this.#facts;
    const { type, path, index } = watch;
    // It may tell what was missed.
    if (maybe.step.op === "setWatches") return;
    const told = changes.of(maybe.kind, maybe.path);
    const at = Math.max(this.#newestReply?.zxid ?? 0, (this.#events.at(-1)?.zxid ?? 0) - 1);
    const rest = told.slice(firstAfter(told, at));
    // The earliest such change; all that is before it has been told.
    const change = rest.find((each) => each.path === path && eventOf[each.type] === type);
    if (change === undefined) return found.noWatch(watch);
    this.#held.certain.goTo(change.zxid - 1, index);
    if (maybe.isOneShot) this.#held.end(maybe);
  }

  /** Of its path there may be changes of which nobody knows. */
  #deliveredSometime(watch: WatchStep): void {
    if (this.#held.certain.hasFired && this.#held.certain.take(watch) !== undefined) return;
    const { path } = watch;
    const sources = this.#held.sourcesOf(watch);
    const open = this.#open.filter(({ step }) => mayTell(step, watch));
    const again = this.#settingAgain;
    const isAgain = again !== undefined && mayTell(again.step, watch);
    if (sources.length + open.length === 0 && !isAgain) return this.#facts.found.noWatch(watch);
    if (isAgain) again.doubt(path);
    for (const each of open) each.doubtful = [...each.doubtful, path];
    for (const source of sources) {
      if (open.length > 0 || isAgain) this.#held.demote(source);
      else if (source.isOneShot) this.#held.end(source);
      else if (source.expects(watch.type, path) !== undefined) this.#held.skip(source);
    }
  }

  // ---- what the server does

  /** The next request is taken up, and answered unless it sets watches again; all before its zxid must have been told. */
  #takeUp(open: Open, seenAt: number): void {
    const { step } = open;
    if (this.#settingAgain !== undefined) this.#setAgain(this.#settingAgain, seenAt);
    this.#open.shift();
    if (!isPlaced(step)) return this.#takeUpSometime(step);
    this.#passed(step, seenAt);
    if (step.op === "removeWatches") {
      if (step.outcome === "ok") this.#held.remove(step, false);
    } else if (step.op === "setWatches" && step.outcome === "ok") {
      const { missed, changes, mayHide } = this.#facts;
      this.#settingAgain = new SettingAgain(step, missed.get(step), changes, mayHide);
      for (const path of open.doubtful) this.#settingAgain.doubt(path);
    } else if (isSet(step)) {
      for (const { kinds: of, path } of watchesOf(step))
        for (const kind of of) this.#held.register(kind, path, step, isDoubtful(open.doubtful, kind, path));
    }
  }

  /** Nobody knows at which zxid, or whether at all. */
  #takeUpSometime(step: Step): void {
    if (step.outcome === "unsent" || (step.isAnswered && !isSet(step))) return;
    for (const { kinds: of, path } of watchesOf(step))
      for (const kind of of) this.#held.register(kind, path, step, true);
    if (step.op === "removeWatches") this.#held.remove(step, true);
  }

  /** A setWatches is answered: what was missed must have been told. */
  #setAgain(again: SettingAgain, seenAt: number): void {
    this.#settingAgain = undefined;
    for (const { list, path } of again.owed()) this.#facts.found.missedUntold(again.step, list, path, seenAt);
    for (const { kinds: of, path, list } of watchesOf(again.step)) {
      const isSet = list === undefined ? true : again.sets(list, path);
      if (isSet === false) continue;
      for (const kind of of) {
        const isOpen = isSet === undefined || isDoubtful(again.doubtful, kind, path);
        this.#held.register(kind, path, again.step, isOpen);
      }
    }
  }

  /** A reply of a zxid is delivered: with it, or before it, everything up to there. */
  #passed(step: Step, seenAt: number): void {
    this.#held.certain.passed(step.zxid, seenAt);
    if (this.#newestReply === undefined || this.#newestReply.zxid < step.zxid) this.#newestReply = step;
  }
}

/** Whether one of the events that came may be from the watch. */
function isDoubtful(paths: readonly string[], kind: WatchKind, at: string): boolean {
  return paths.some((path) => covers(kind, at, path));
}

/** Whether the history says at which zxid it was answered. */
function isPlaced(step: Step): boolean {
  return step.isAnswered && step.zxid > 0;
}

/** Whether a watch that the request sets, or may set, tells such an event. */
function mayTell(
  step: Step,
  { type, path }: { readonly type: WatchEventType; readonly path: string },
): boolean {
  if (step.outcome === "unsent" || (step.isAnswered && !isSet(step))) return false;
  return watchesOf(step).some(({ kinds: of, path: at }) => of.some((kind) => tells(kind, at, type, path)));
}
