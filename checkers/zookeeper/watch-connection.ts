import type { Event, WatchEventType, Zxid } from "../../model/index.ts";
import type { MissedChange } from "./missed-changes.ts";
import type { Change } from "./replay-state.ts";
import { ServerWatches } from "./server-watches.ts";
import { SettingAgain } from "./setting-again.ts";
import type { Step, WatchStep } from "./steps.ts";
import { firstAfter, type WatchedChanges } from "./watch-changes.ts";
import type { WatchFindings } from "./watch-findings.ts";
import {
  eventOf,
  isSet,
  kinds,
  removedKinds,
  type WantedWatch,
  watchesOf,
  type WatchKind,
} from "./watch-kinds.ts";
import { covers, Registration, tells, WatchTable } from "./watch-table.ts";

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

export interface ToldEvent {
  readonly zxid: Zxid;
  /** In the history. */
  readonly index: number;
}

const nothing: readonly Change[] = [];
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
  readonly #watches: ServerWatches;
  /** Those that may be there. */
  #maybe: WatchTable | undefined;
  #hasLasting = false;
  #isLost = false;
  #open: Open[] = [];
  #settingAgain: SettingAgain | undefined;
  /** The newest reply that is certain to have been delivered. */
  #newestReply: Step | undefined;
  /** The events whose zxids are known, or inferred. */
  #events: ToldEvent[] = [];
  /** How often each event of the newest zxid was told. */
  readonly #told = new Map<string, number>();

  constructor(facts: WatchFacts, session: string, since: number) {
    this.#facts = facts;
    this.#session = session;
    this.#since = since;
    this.#watches = new ServerWatches(facts.found);
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
    const seen = step.completion as Event;
    if (this.#isLost) this.#goesOn(step.invokedAt);
    // Requests are answered in their order.
    for (;;) {
      const first = this.#open[0];
      if (first === undefined || first.step.invokedAt > step.invokedAt) break;
      this.#takeUp(first, seen);
    }
    const again = this.#settingAgain;
    if (again !== undefined && again.step.invokedAt <= step.invokedAt) this.#setAgain(again, seen);
    if (step.zxid <= 0 || step.op === "addAuth") return;
    this.#passed(step, seen);
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
    for (const { step } of this.#open) this.#setMaybe(watchesOf(step), step);
    const again = this.#settingAgain?.step;
    if (again !== undefined) this.#setMaybe(watchesOf(again), again);
    for (const watch of this.#watches.all()) this.#demote(watch);
    this.#open = [];
    this.#settingAgain = this.#newestReply = undefined;
    this.#events = [];
    this.#watches.forget();
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
    const { event } = watch;
    for (;;) {
      const first = this.#open[0];
      if (first === undefined || (isPlaced(first.step) && first.step.zxid >= zxid)) break;
      this.#takeUp(first, event);
    }
    if (this.#settingAgain !== undefined) this.#setAgain(this.#settingAgain, event);
    const [before, reply] = [this.#events.at(-1), this.#newestReply];
    if (reply !== undefined && reply.zxid >= zxid) return found.afterReply(watch, reply);
    if (before !== undefined && before.zxid > zxid) return found.outOfOrder(watch, before);
    if (before === undefined || before.zxid < zxid) this.#told.clear();
    this.#watches.goTo(zxid, event);
    this.#events.push({ zxid, index: event.index });
    const key = `${watch.type} ${watch.path}`;
    const times = (this.#told.get(key) ?? 0) + 1;
    this.#told.set(key, times);
    if (this.#watches.take(watch) === undefined) this.#unforeseen(watch, zxid, times);
  }

  /** An event that no watch was known to tell at its zxid, and how often it was told by now. */
  #unforeseen(watch: WatchStep, zxid: Zxid, times: number): void {
    const { changes, found, mayHide } = this.#facts;
    const { type, path } = watch;
    const made = changes.timesMade(type, path, zxid);
    if (made === 0) return found.notMade(watch);
    for (const maybe of this.#maybe?.matching(type, path) ?? [])
      if (this.#isFrom(maybe, watch, zxid) && this.#watches.take(watch) !== undefined) return;
    // What a watch has to tell is known, unless something may be hidden or the transaction is not known.
    const sources = mayHide || made === undefined ? this.#sourcesOf(watch) : [];
    if (sources.length === 0) return found.noWatch(watch);
    const mayRepeat = made === undefined && (type === "NodeChildrenChanged" || changes.unanswered.mayRepeat);
    if (times > (made ?? 1) && !mayRepeat) return found.tooOften(watch);
    for (const source of sources) if (source.isOneShot) this.#end(source);
  }

  /** Whether a watch that may be there has to tell the event at that zxid, if it is; then it is there, and does. */
  #isFrom(maybe: Registration, { type, path }: WatchStep, zxid: Zxid): boolean {
    const { step } = maybe;
    // A read that finds no node sets no watch.
    if (type === "NodeCreated" && step.op === "getData") return false;
    const together = this.#setTogether(maybe);
    const watches = together.map(({ kind, path: at }) => {
      return new Registration(kind, at, step, zxid - 1, this.#facts.changes.of(kind, at));
    });
    const next = watches.flatMap((watch) => watch.changes.slice(watch.next, firstAfter(watch.changes, zxid)));
    next.sort((a, b) => a.order - b.order);
    // What others have told it has told with them.
    const first = next.find((change) => change.path === path && !this.#watches.isFired(change));
    if (first === undefined || eventOf[first.type] !== type) return false;
    if (maybe.isOneShot && first !== next[0]) return false;
    for (const each of together) this.#end(each);
    for (const watch of watches) this.#watches.setLate(watch, zxid);
    return true;
  }

  /** The watches that may be there if this one is: of one wish, both managers have one, or neither. */
  #setTogether(maybe: Registration): readonly Registration[] {
    const isThis = ({ kinds: of, path }: WantedWatch): boolean =>
      path === maybe.path && of.includes(maybe.kind);
    const all = watchesOf(maybe.step).find(isThis)?.kinds ?? [];
    const together = all.map((kind) => this.#maybe?.get(kind, maybe.path));
    return together.filter((each): each is Registration => each?.step === maybe.step);
  }

  // ---- events that do not

  /** On a server that tells zxids: it tells what was missed when watches are set again. */
  #deliveredMissed(watch: WatchStep): void {
    const { event, type, path } = watch;
    for (;;) {
      if (this.#settingAgain !== undefined) {
        if (this.#settingAgain.tell(type, path)) return;
        this.#setAgain(this.#settingAgain, event);
      }
      const first = this.#open[0];
      if (first === undefined || !this.#open.some(({ step }) => step.op === "setWatches")) {
        const maybe = this.#maybe?.matching(type, path);
        const isLost = maybe?.some(({ step }) => step.op === "setWatches") === true;
        return isLost ? undefined : this.#facts.found.withoutZxid(watch);
      }
      this.#takeUp(first, event);
    }
  }

  /** It is what the server has to tell next: after all that comes before, nothing else. */
  #deliveredNext(watch: WatchStep): void {
    const { event, type, path } = watch;
    for (;;) {
      if (this.#watches.hasFired) {
        const change = this.#watches.take(watch);
        if (change !== undefined) this.#events.push({ zxid: change.zxid, index: event.index });
        else if (this.#unlessExpected(watch) === undefined) this.#facts.found.noWatch(watch);
        return;
      }
      if (this.#settingAgain !== undefined) {
        if (this.#settingAgain.tell(type, path)) return;
        this.#setAgain(this.#settingAgain, event);
      }
      const maybe = this.#maybe === undefined ? undefined : this.#unlessExpected(watch);
      if (maybe !== undefined) {
        const isOpen = this.#open.some(({ step }) => mayTell(step, watch));
        return isOpen ? this.#deliveredSometime(watch) : this.#fromMaybe(maybe, watch);
      }
      const due = this.#watches.nextDue;
      const first = this.#open[0];
      if (first !== undefined && (!isPlaced(first.step) || first.step.zxid < due)) {
        this.#takeUp(first, event);
        continue;
      }
      if (due === Infinity) return this.#facts.found.noWatch(watch);
      this.#watches.goTo(due, event);
    }
  }

  /** A watch that may be there and tell the event, where none that is there has to. */
  #unlessExpected({ type, path }: WatchStep): Registration | undefined {
    if (this.#watches.matching(type, path).some((each) => each.expects(type, path) !== undefined))
      return undefined;
    return this.#maybe
      ?.matching(type, path)
      .find(({ step }) => type !== "NodeCreated" || step.op !== "getData");
  }

  #fromMaybe(maybe: Registration, watch: WatchStep): void {
    const { changes, found } = this.#facts;
    const { type, path, event } = watch;
    // It may tell what was missed.
    if (maybe.step.op === "setWatches") return;
    const told = changes.of(maybe.kind, maybe.path);
    const at = Math.max(this.#newestReply?.zxid ?? 0, (this.#events.at(-1)?.zxid ?? 0) - 1);
    const rest = told.slice(firstAfter(told, at));
    // The earliest such change; all that is before it has been told.
    const change = rest.find((each) => each.path === path && eventOf[each.type] === type);
    if (change === undefined) return found.noWatch(watch);
    this.#watches.goTo(change.zxid - 1, event);
    if (maybe.isOneShot) this.#end(maybe);
  }

  /** Of its path there may be changes of which nobody knows. */
  #deliveredSometime(watch: WatchStep): void {
    if (this.#watches.hasFired && this.#watches.take(watch) !== undefined) return;
    const { path } = watch;
    const sources = this.#sourcesOf(watch);
    const open = this.#open.filter(({ step }) => mayTell(step, watch));
    const again = this.#settingAgain;
    const isAgain = again !== undefined && mayTell(again.step, watch);
    if (sources.length + open.length === 0 && !isAgain) return this.#facts.found.noWatch(watch);
    if (isAgain) again.doubt(path);
    for (const each of open) each.doubtful = [...each.doubtful, path];
    for (const source of sources) {
      if (open.length > 0 || isAgain) this.#demote(source);
      else if (source.isOneShot) this.#end(source);
      else if (source.expects(watch.type, path) !== undefined) this.#skip(source);
    }
  }

  #sourcesOf({ type, path }: WatchStep): readonly Registration[] {
    const certain = this.#watches.matching(type, path);
    return this.#maybe === undefined ? certain : [...certain, ...this.#maybe.matching(type, path)];
  }

  /** The event may be the one that it has to tell next. */
  #skip(source: Registration): void {
    this.#end(source);
    const { kind, path, step, zxid, changes } = source;
    const next = new Registration(kind, path, step, zxid, changes);
    next.next = source.next + 1;
    this.#watches.set(next);
  }

  // ---- what the server does

  /** The next request is taken up, and answered unless it sets watches again; all before its zxid must have been told. */
  #takeUp(open: Open, seen: Event): void {
    const { step } = open;
    if (this.#settingAgain !== undefined) this.#setAgain(this.#settingAgain, seen);
    this.#open.shift();
    if (!isPlaced(step)) return this.#takeUpSometime(step);
    this.#passed(step, seen);
    if (step.op === "removeWatches") {
      if (step.outcome === "ok") this.#remove(step);
    } else if (step.op === "setWatches" && step.outcome === "ok") {
      const { missed, changes, mayHide } = this.#facts;
      this.#settingAgain = new SettingAgain(step, missed.get(step), changes, mayHide);
      for (const path of open.doubtful) this.#settingAgain.doubt(path);
    } else if (isSet(step)) {
      for (const { kinds: of, path } of watchesOf(step))
        for (const kind of of) this.#register(kind, path, step, isDoubtful(open.doubtful, kind, path));
    }
  }

  /** Nobody knows at which zxid, or whether at all. */
  #takeUpSometime(step: Step): void {
    if (step.outcome === "unsent" || (step.isAnswered && !isSet(step))) return;
    for (const { kinds: of, path } of watchesOf(step))
      for (const kind of of) this.#register(kind, path, step, true);
    if (step.op !== "removeWatches") return;
    for (const kind of removedKinds(step, this.#tellsZxids)) {
      const watch = this.#watches.get(kind, step.path);
      if (watch !== undefined) this.#demote(watch);
    }
  }

  /** A setWatches is answered: what was missed must have been told. */
  #setAgain(again: SettingAgain, seen: Event): void {
    this.#settingAgain = undefined;
    for (const { list, path } of again.owed()) this.#facts.found.missedUntold(again.step, list, path, seen);
    for (const { kinds: of, path, list } of watchesOf(again.step)) {
      const isSet = list === undefined ? true : again.sets(list, path);
      if (isSet === false) continue;
      for (const kind of of) {
        const isOpen = isSet === undefined || isDoubtful(again.doubtful, kind, path);
        this.#register(kind, path, again.step, isOpen);
      }
    }
  }

  #register(kind: WatchKind, path: string, step: Step, isDoubtful: boolean): void {
    if (!kinds[kind].isOneShot) this.#hasLasting = true;
    if (kind === "recursive-children" && this.#tellsZxids) return;
    if (this.#hasLasting && !this.#tellsZxids)
      for (const other of kinds[kind].manager) this.#replace(other, kind, path, isDoubtful);
    if (isDoubtful) return this.#setMaybe([{ kinds: [kind], path }], step);
    const { changes, mayHide } = this.#facts;
    const told = mayHide ? nothing : changes.of(kind, path);
    this.#watches.set(new Registration(kind, path, step, step.zxid, told));
  }

  /** A watch of another mode takes the place of the one that there is. */
  #replace(old: WatchKind, by: WatchKind, path: string, isDoubtful: boolean): void {
    const watch = this.#watches.get(old, path);
    if (watch === undefined) return;
    if (!isDoubtful) this.#watches.end(watch);
    else if (old !== by) this.#demote(watch);
  }

  #setMaybe(wanted: readonly WantedWatch[], step: Step): void {
    for (const { kinds: of, path } of wanted)
      for (const kind of of) {
        this.#maybe ??= new WatchTable();
        this.#maybe.set(new Registration(kind, path, step, -1, nothing));
      }
  }

  #demote(watch: Registration): void {
    this.#end(watch);
    this.#setMaybe([{ kinds: [watch.kind], path: watch.path }], watch.step);
  }

  #remove(step: Step): void {
    for (const kind of removedKinds(step, this.#tellsZxids)) {
      this.#end(this.#watches.get(kind, step.path));
      this.#end(this.#maybe?.get(kind, step.path));
    }
  }

  #end(watch: Registration | undefined): void {
    this.#watches.end(watch);
    this.#maybe?.end(watch);
  }

  /** A reply of a zxid is delivered: with it, or before it, everything up to there. */
  #passed(step: Step, seen: Event): void {
    this.#watches.passed(step.zxid, seen);
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
