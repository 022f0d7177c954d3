import type { Event, Zxid } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import type { Acknowledged } from "./acknowledged.ts";
import { checkFinalReads } from "./final-reads.ts";
import { PromiseCheck } from "./findings.ts";
import { eachSighting } from "./mentions.ts";
import { showSteps } from "./passes.ts";
import { readHistory } from "./history/intake.ts";
import { EventReference } from "./history/recorded-events.ts";
import { checkSyncedReads, FutureCheck, nameOf, StalenessCheck, writeOrder } from "./real-time.ts";
import { replayHistory } from "./replay.ts";
import type { Contradiction } from "./replay-attempt.ts";
import { ClientOrderCheck, type Happened, SessionOrderCheck, VersionOrderCheck } from "./session-order.ts";
import { checkSequentialNodes, SessionEndCheck } from "./sessions.ts";
import type { Step } from "./history/steps.ts";
import type { ZookeeperHistory } from "./history/zookeeper-history.ts";
import { type MissedChange, missedChanges } from "./missed-changes.ts";
import { watchedChanges } from "./watch-changes.ts";
import { checkWatches } from "./watches.ts";

export interface ZookeeperOptions {
  /** More than this many ms of staleness of a plain read is a violation; without it staleness is only told. */
  readonly staleMsMax?: number;
  /** How much too early an expiry of a session may seem; 1000 ms unless told. */
  readonly expirySlackMs?: number;
}

/**
 * Judges what ZooKeeper promises its clients, by the zxids of its replies: a verdict for each promise (see
 * model/sequential/znodes/history-form.ts for the form of the history). O(n log n).
 *
 * Zxids are believed as witnesses: a history that fits them keeps its promises. `checkZookeeperBySearch` does not
 * believe them. A history without zxids gets `unknown` where they are needed. Throws InputError for a history that is
 * not of the form.
 */
export function checkZookeeper(events: readonly Event[], options: ZookeeperOptions = {}): Verdict[] {
  return judgeZookeeper(readHistory(events), options);
}

/** The same for a history that is read already. */
export function judgeZookeeper(history: ZookeeperHistory, options: ZookeeperOptions = {}): Verdict[] {
  if (history.steps.some((step) => step.isAnswered) && history.steps.every((step) => step.zxid <= 0)) {
    return withoutZxids(history);
  }
  const writes = new PromiseCheck("writes-linearizable");
  const reads = new PromiseCheck("reads-from-snapshot");
  const multi = new PromiseCheck("multi");
  const ephemerals = new PromiseCheck("ephemerals");
  const missed = new Map<Step, readonly MissedChange[]>();
  const replay = replayHistory(history, {
    look: (step, tree) => {
      if (step.op === "setWatches") missed.set(step, missedChanges(step, tree));
    },
    wants: watchedChanges(history),
  });
  const aboutMulti = replay.contradictions.some(({ because }) => because?.op === "multi");
  const shown = partsShown(aboutMulti ? history.steps : [], replay.acknowledged);
  for (const contradiction of replay.contradictions) {
    for (const promise of promisesOf(contradiction, { writes, reads, multi, ephemerals }, shown)) {
      report(promise, contradiction, replay.attempts);
    }
  }
  for (const { mention, isDoubtful } of replay.fromNowhere) {
    const { path, zxid, type, seenAt } = mention;
    const what = `event ${seenAt} shows that at zxid 0x${zxid.toString(16)}`;
    const doubt = isDoubtful ? doubtAfter(replay.attempts) : undefined;
    reads.broken(
      `${what} ${path} was ${changeNames[type]}, which nobody asked for`,
      new EventReference(history.events, seenAt),
      [],
      doubt,
    );
  }
  const happened: Happened[] = [];
  for (const { candidate, place } of replay.happened) {
    writes.count("unanswered writes found to have happened");
    if (place.exact && place.guessed !== true) happened.push({ candidate, zxid: place.zxid });
  }
  // Where other explanations were open the end of a session is only a guess.
  const ends = replay.choices.taken.length > 0 ? [] : replay.expired;
  const expiries = ends.map(({ session, place }) => ({ session, zxid: place.zxid, seenAt: place.seenAt }));
  const clientOrder = new ClientOrderCheck(happened);
  showSteps(history.positioned, [writeOrder(history, replay.acknowledged, writes), clientOrder.see]);
  clientOrder.checkUnanswered();
  const sessionOrder = new SessionOrderCheck();
  const versionOrder = new VersionOrderCheck(history);
  const future = new FutureCheck(history);
  const staleness = new StalenessCheck(history);
  const sessionEnds = new SessionEndCheck(history);
  showSteps(history.steps, [
    (step) => {
      if (step.readsTree && step.isAnswered && step.zxid > 0) reads.checked();
      if (step.op === "multi" && step.hasPosition) multi.checked();
      if (step.outcome === "ok" && step.createsEphemeral) ephemerals.checked();
    },
    sessionOrder.see,
    versionOrder.see,
    future.see,
    staleness.see,
    sessionEnds.see,
  ]);
  sessionEnds.checkExpiries(expiries, options);
  return [
    writes.verdict(
      "acknowledged writes have one order that fits real time and explains every answer",
      "writes",
    ),
    reads.verdict("reads show the tree at their zxid", "reads"),
    sessionOrder.sameServer.verdict("what a session sees does not run back", "pairs of replies"),
    sessionOrder.acrossServers.verdict("what a session sees does not run back when it moves", "moves"),
    clientOrder.promise.verdict(
      "a client's writes apply in the order in which it sent them",
      "pairs of writes",
    ),
    versionOrder.promise.verdict("the versions that a session sees do not fall", "pairs of answers"),
    future.promise.verdict("nothing is read before it is written", "answers"),
    checkSyncedReads(history),
    staleness.verdict(options),
    multi.verdict("a multi is one step", "multis"),
    ephemerals.verdict(
      "ephemeral nodes live as long as their session, and go in one step",
      "ephemeral nodes",
    ),
    sessionEnds.promise.verdict("a session that is over stays over", "ended sessions"),
    checkSequentialNodes(history).verdict(
      "sequential nodes are numbered uniquely and upwards",
      "sequential nodes",
    ),
    checkWatches(history, { ...replay, missed }).verdict(
      "watches tell each change once and in order",
      "events",
    ),
    checkFinalReads(history).verdict("all servers show the same in the end", "pairs of final reads"),
  ];
}

const changeNames = {
  created: "created",
  deleted: "deleted",
  data: "given other data",
  children: "given other children",
} as const;

interface Promises {
  readonly writes: PromiseCheck;
  readonly reads: PromiseCheck;
  readonly multi: PromiseCheck;
  readonly ephemerals: PromiseCheck;
}

/** The paths of each multi that reads have shown as it left them, by its zxid. */
function partsShown(
  steps: readonly Step[],
  acknowledged: Acknowledged,
): ReadonlyMap<Zxid, ReadonlySet<string>> {
  const shown = new Map<Zxid, Set<string>>();
  for (const step of steps) {
    if (step.isWrite || step.outcome !== "ok") continue;
    eachSighting(step, (path, stat) => {
      if (acknowledged.at(stat.mzxid)?.op !== "multi") return;
      const paths = shown.get(stat.mzxid);
      if (paths === undefined) shown.set(stat.mzxid, new Set([path]));
      else paths.add(path);
    });
  }
  return shown;
}

/** The promises that an inexplicable answer breaks: its operation's, and the one of what it is about. */
function promisesOf(
  { step, path, because, ephemeralOwner }: Contradiction,
  all: Promises,
  shown: ReadonlyMap<Zxid, ReadonlySet<string>>,
): PromiseCheck[] {
  const broken = [step.isWrite ? all.writes : all.reads];
  const others = because?.op === "multi" ? [...(shown.get(because.zxid) ?? [])] : [];
  if (step.op === "multi" || others.some((other) => other !== path)) broken.push(all.multi);
  if (ephemeralOwner !== undefined) broken.push(all.ephemerals);
  return broken;
}

function doubtAfter(attempts: number): string {
  return `none of ${attempts} ways of working in unanswered writes explains it, others were left untried`;
}

function report(promise: PromiseCheck, contradiction: Contradiction, attempts: number): void {
  const { step, path, expected, found, because } = contradiction;
  const at = path === step.path ? "" : ` on ${path}`;
  const why = because === undefined || because === step ? "" : `, given ${nameOf(because)}`;
  promise.broken(
    `${nameOf(step)} at zxid 0x${step.zxid.toString(16)} answered ${found}${at}; expected ${expected}${why}`,
    step.reply,
    [step.invocation, because?.invocation, because?.completion],
    contradiction.isDoubtful ? doubtAfter(attempts) : undefined,
  );
}

/** What can be said of a history whose replies carry no zxids. */
function withoutZxids(history: ZookeeperHistory): Verdict[] {
  const versionOrder = new VersionOrderCheck(history);
  const sessionEnds = new SessionEndCheck(history);
  showSteps(history.steps, [versionOrder.see, sessionEnds.see]);
  sessionEnds.checkExpiries([], {});
  const unknown = (name: string): Verdict => ({
    name,
    verdict: "unknown",
    detail: "no reply carries a zxid; the search without zxids can judge it",
  });
  return [
    ...["writes-linearizable", "reads-from-snapshot", "session-order", "single-system-image"].map(unknown),
    versionOrder.promise.verdict("the versions that a session sees do not fall", "pairs of answers"),
    checkSequentialNodes(history).verdict(
      "sequential nodes are numbered uniquely and upwards",
      "sequential nodes",
    ),
    sessionEnds.promise.verdict("a session that is over stays over", "ended sessions"),
    checkFinalReads(history).verdict("all servers show the same in the end", "pairs of final reads"),
  ];
}
