import { firstAtLeast } from "../ascending.ts";
import { PromiseCheck } from "./findings.ts";
import type { Step } from "./history/steps.ts";
import type { SessionStep, WatchStep, ZookeeperHistory } from "./history/zookeeper-history.ts";
import { WatchedChanges, type WatchedReplay } from "./watch-changes.ts";
import { Connection, type WatchFacts } from "./watch-connection.ts";
import { WatchFindings } from "./watch-findings.ts";
import { pathsOf } from "./watch-kinds.ts";

/**
 * Watches, connection by connection: an event has a watch that it comes from, a one-shot watch fires once, and a
 * persistent one once a change; events come in the order of their changes; a change is told before any reply that shows
 * it; none is left out while the connection lives; and watches set again after a reconnection tell at once what was
 * missed. What a persistent watch misses while disconnected is counted, as ZooKeeper does not tell it.
 *
 * Both ways exact, as long as the changes of a path, and the zxids of the replies, are known: transactions are applied
 * in order of their zxids, each at once, and a connection is FIFO; so the reply of zxid z has its place behind what the
 * transactions up to z fired and before what later ones fire, replies of one zxid are in order of their requests, and
 * what setWatches tells comes right before its reply. Thereby the one sequence that the server must have sent is
 * determined (`Connection`); a history is accepted exactly if what was delivered is a beginning of it that holds all
 * replies, with each reply between its invocation and its note. The zxids of events are not needed for that, and must
 * fit. Servers before 3.9 tell none, and replace a watch's mode by the next one; a connection is judged as one to such
 * a server if none of its events has a zxid.
 *
 * What is not known is not demanded, and never blamed. Not judged are: events of different paths of one transaction,
 * in which order they come; that anything is told, where ACLs may hide it; what removeWatches answers. Judged loosely
 * are, as every change may be one of which nobody knows: on connections without zxids, and in what setWatches tells,
 * paths that unanswered writes may have changed, nodes that go with their session or their time, or are older than
 * the history; a request that was lost on a connection without zxids; several that were lost together, each for
 * itself, and a lost setWatches or removeWatches; watches that were set by replies without a zxid; and what follows
 * an operation without an answer if no session event tells that its connection is gone. In all of these an event
 * still needs a watch that can have told it.
 */
export function checkWatches(history: ZookeeperHistory, replay: WatchedReplay): PromiseCheck {
  return new WatchCheck(history, replay).run();
}

class WatchCheck {
  readonly #promise = new PromiseCheck("watches");
  readonly #history: ZookeeperHistory;
  readonly #facts: WatchFacts;
  readonly #connections = new Map<string, Connection>();

  constructor(history: ZookeeperHistory, replay: WatchedReplay) {
    this.#history = history;
    let telling: TellingConnections | undefined;
    this.#facts = {
      changes: new WatchedChanges(replay, history),
      missed: replay.missed,
      mayHide: history.usesAcls,
      found: new WatchFindings(this.#promise, history.events),
      tellsZxids: (session, index) => (telling ??= new TellingConnections(history)).has(session, index),
    };
  }

  run(): PromiseCheck {
    tellInOrder(this.#history, {
      invoked: (step) => this.#of(step.session, step.invokedAt).invoked(step),
      completed: (step) => this.#completed(step),
      told: (watch) => this.#told(watch),
      parted: (session) => this.#connections.delete(session),
    });
    return this.#promise;
  }

  #completed(step: Step): void {
    if (step.session === "") return;
    if (!step.isAnswered) {
      // Never sent, or nobody knows.
      if (step.outcome === "unknown") this.#connections.get(step.session)?.lost();
      return;
    }
    if (step.op === "setWatches" && step.outcome === "ok") this.#noteSettingAgain(step);
    this.#of(step.session, step.completedAt).answered(step);
  }

  #told(watch: WatchStep): void {
    if (watch.type.endsWith("Removed")) return;
    this.#promise.checked();
    this.#of(watch.session, watch.index).delivered(watch);
  }

  #of(session: string, index: number): Connection {
    let connection = this.#connections.get(session);
    if (connection === undefined) {
      connection = new Connection(this.#facts, session, index);
      this.#connections.set(session, connection);
    }
    return connection;
  }

  #noteSettingAgain(step: Step): void {
    const { missed, changes, mayHide } = this.#facts;
    if (!mayHide) this.#promise.checked(missed.get(step)?.length ?? 0);
    const relative = step.request["relativeZxid"] as number;
    let gap = 0;
    for (const list of ["persistent", "persistentRecursive"] as const)
      for (const path of pathsOf(step, list)) gap += changes.between(path, relative, step.zxid);
    if (gap > 0) this.#promise.count("changes missed by persistent watches", gap);
  }
}

/** The connections that deliver events with zxids. */
class TellingConnections {
  /** By session: where a connection began or ended, and where an event with a zxid was delivered. */
  readonly #partings = new Map<string, number[]>();
  readonly #told = new Map<string, number[]>();

  constructor({ watches, sessions, open, steps }: ZookeeperHistory) {
    for (const { index, session, zxid } of watches) if (zxid > 0) note(this.#told, session, index);
    for (const { index, what } of sessions)
      if (this.#told.has(what.session)) note(this.#partings, what.session, index);
    const lost = open.filter(({ session }) => this.#told.has(session));
    for (const { session, invokedAt } of nextRequests(lost, steps)) note(this.#partings, session, invokedAt);
    for (const partings of this.#partings.values()) partings.sort((a, b) => a - b);
  }

  has(session: string, since: number): boolean {
    const told = firstFrom(this.#told.get(session) ?? [], since);
    return told < firstFrom(this.#partings.get(session) ?? [], since + 1);
  }
}

/** Of each session, the requests that follow one that was lost: they may be on another connection. */
function nextRequests(lost: readonly Step[], steps: readonly Step[]): readonly Step[] {
  const found: Step[] = [];
  const inOrder = lost.toSorted((a, b) => a.completedAt - b.completedAt);
  const waiting = new Set<string>();
  let next = 0;
  for (let at = 0; at < steps.length && (next < lost.length || waiting.size > 0); at++) {
    const step = steps[at] as Step;
    for (; (inOrder[next]?.completedAt ?? Infinity) < step.invokedAt; next++)
      waiting.add((inOrder[next] as Step).session);
    if (waiting.delete(step.session)) found.push(step);
  }
  return found;
}

function note(lists: Map<string, number[]>, name: string, index: number): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [index]);
  else list.push(index);
}

/** The first of the rising indexes that is not below `since`; Infinity where there is none. */
function firstFrom(indexes: readonly number[], since: number): number {
  return indexes[firstAtLeast(indexes, since)] ?? Infinity;
}

/** What happens to the sessions that watch anything, in the order of the history. */
interface Moments {
  invoked(step: Step): void;
  completed(step: Step): void;
  told(watch: WatchStep): void;
  /** A connection began or ended. */
  parted(session: string): unknown;
}

function tellInOrder(history: ZookeeperHistory, moments: Moments): void {
  const { watching: setting, completed, watches, sessions } = history;
  const watching = new Set<string>();
  for (const { session } of setting) watching.add(session);
  for (const { session } of watches) watching.add(session);
  if (watching.size === 0) return;
  const parting = sessions.filter(({ what }) => watching.has(what.session));
  let [set, watch, part, next] = [0, 0, 0, -1];
  const tellBefore = (index: number): void => {
    while (next < index) {
      const nextSet = setting[set]?.invokedAt ?? Infinity;
      const nextWatch = watches[watch]?.index ?? Infinity;
      const nextPart = parting[part]?.index ?? Infinity;
      next = Math.min(nextSet, nextWatch, nextPart);
      if (next >= index) return;
      if (next === nextSet) moments.invoked(setting[set++] as Step);
      else if (next === nextWatch) moments.told(watches[watch++] as WatchStep);
      else moments.parted((parting[part++] as SessionStep).what.session);
    }
  };
  completed.forEach((step) => {
    if (!watching.has(step.session)) return;
    tellBefore(step.completedAt);
    moments.completed(step);
  });
  tellBefore(Infinity);
}
