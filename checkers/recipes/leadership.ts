import {
  candidatesPath,
  type Event,
  guardPath,
  type Json,
  type LeadershipEvent,
  nodeName,
  parentPath,
  parseLeadership,
  parseTokens,
  sequenceNumber,
  type Zxid,
} from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { firstAtLeast } from "../ascending.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";
import { nameOf, show } from "../zookeeper/real-time.ts";
import { replayHistory } from "../zookeeper/replay.ts";
import { readHistory } from "../zookeeper/history/intake.ts";
import type { Step } from "../zookeeper/history/steps.ts";
import type { ZookeeperHistory } from "../zookeeper/history/zookeeper-history.ts";
import { candidaciesBelow, type Candidacy, numbersThatFall, type Reign, reignsOf } from "./candidates.ts";

export interface LeadershipOptions {
  /** The parent of the candidates; of the workload leader-election unless told. */
  readonly candidates?: string;
  /** The guarded znode. */
  readonly guard?: string;
}

/** A time in which a client believed that it led. */
export interface Belief {
  readonly candidate: string;
  readonly session: string;
  readonly token: Zxid;
  readonly begin: Event;
  /** Undefined where the history ends before the belief does. */
  readonly end: Event | undefined;
}

/**
 * Judges an election by candidates (model/recipes/leader-election/history-form.ts): at each zxid one candidate is the
 * lowest; a client believes that it leads only after it was; the guarded znode's tokens strictly increase and belong to
 * candidates. Beliefs that overlap in time are zombies, counted and told: a leader that is cut off or paused cannot
 * know that it was succeeded, which is why the guarded resource asks for a token. O(n log n).
 */
export function checkLeadership(events: readonly Event[], options: LeadershipOptions = {}): Verdict[] {
  const history = readHistory(events);
  const parent = options.candidates ?? candidatesPath;
  const { changes } = replayHistory(history, {
    wants: (path) => path === parent || parentPath(path) === parent,
  });
  const candidacies = candidaciesBelow(parent, changes);
  const reigns = reignsOf(candidacies);
  const beliefs = beliefsOf(events);
  const lowest = new PromiseCheck("one-lowest-candidate");
  const born = allBorn(candidacies, history, parent);
  lowest.checked(born.length);
  const endings = (changes.get(parent) ?? []).filter(({ type }) => type === "deleted");
  const falls = numbersThatFall(
    born,
    endings.map(({ zxid }) => zxid),
  );
  const firsts = falls.length === 0 ? [] : firstsOfZxids(events);
  const zxids = firsts.map(({ zxid }) => zxid as Zxid);
  for (const [candidate, earlier] of falls) {
    const seen = firsts[firstAtLeast(zxids, candidate.createdAt)] ?? events.at(-1);
    const [number, path] = [candidate.sequence, candidate.path];
    const same = number === earlier.sequence && path !== earlier.path;
    const what = same
      ? `${path} and ${earlier.path} have the same number: both can be the lowest`
      : `${path} was created after ${earlier.path}, and its number is not greater`;
    lowest.broken(what, seen as Event);
  }
  return [
    lowest.verdict("at each zxid one candidate is the lowest", "candidates"),
    checkBeliefs(history, beliefs, reigns).verdict(
      "leaders were the lowest candidate before they led",
      "leaderships",
    ),
    checkTokens(history, options.guard ?? guardPath, reigns),
    zombies(beliefs),
  ];
}

/** The candidacies, with those that were answered although the replay finds them impossible. */
function allBorn(
  candidacies: readonly Candidacy[],
  history: ZookeeperHistory,
  parent: string,
): readonly Candidacy[] {
  const all = new Map(candidacies.map((each) => [`${each.path} ${each.createdAt}`, each]));
  for (const { op, outcome, zxid, created: path } of history.answered) {
    if (op !== "create" || outcome !== "ok" || zxid <= 0) continue;
    const sequence = sequenceNumber(nodeName(path));
    if (sequence === undefined || parentPath(path) !== parent || all.has(`${path} ${zxid}`)) continue;
    all.set(`${path} ${zxid}`, { path, sequence, createdAt: zxid, exact: true, deletedAt: Infinity });
  }
  return [...all.values()];
}

/** The events that show a greater zxid than all before them. */
function firstsOfZxids(events: readonly Event[]): Event[] {
  let newest: Zxid = -1;
  return events.filter(({ zxid = -1 }) => {
    if (zxid <= newest) return false;
    newest = zxid;
    return true;
  });
}

function beliefsOf(events: readonly Event[]): Belief[] {
  const beliefs: Belief[] = [];
  const open = new Map<string, number>();
  for (const event of events) {
    const what: LeadershipEvent | undefined = parseLeadership(event);
    if (what === undefined) continue;
    const { candidate, session, token } = what;
    if (what.f === "lead") {
      open.set(candidate, beliefs.length);
      beliefs.push({ candidate, session, token, begin: event, end: undefined });
      continue;
    }
    const at = open.get(candidate);
    const belief = at === undefined ? undefined : beliefs[at];
    if (at !== undefined && belief !== undefined) beliefs[at] = { ...belief, end: event };
    open.delete(candidate);
  }
  return beliefs;
}

/** A client may believe that it leads once its session has seen a tree in which its candidate was the lowest. */
function checkBeliefs(
  history: ZookeeperHistory,
  beliefs: readonly Belief[],
  reigns: readonly Reign[],
): PromiseCheck {
  const promise = new PromiseCheck("leader-was-lowest");
  const byPath = new Map(
    reigns.map((reign) => [`${reign.candidacy.path} ${reign.candidacy.createdAt}`, reign]),
  );
  const seen = new NewestSeen(history);
  for (const { candidate, session, token, begin } of beliefs) {
    promise.checked();
    const reign = byPath.get(`${candidate} ${token}`);
    const newest = seen.before(session, begin.index);
    const who = `session ${session} believes that it leads with ${candidate} (token ${show(token)})`;
    if (reign === undefined) promise.broken(`${who}, which never was the lowest candidate`, begin);
    else if (newest !== undefined && newest.zxid < reign.from) {
      const why = `it has seen zxid ${show(newest.zxid)}, and is the lowest from ${show(reign.from)} on`;
      promise.broken(`${who}; ${why}`, begin, [newest.invocation, newest.completion]);
    }
  }
  return promise;
}

/** The newest reply of each session as it was before an event; events must be asked for in order. */
class NewestSeen {
  readonly #replies: readonly Step[];
  readonly #newest = new Map<string, Step>();
  #next = 0;

  constructor(history: ZookeeperHistory) {
    this.#replies = history.answered;
  }

  before(session: string, index: number): Step | undefined {
    for (; this.#next < this.#replies.length; this.#next++) {
      const step = this.#replies[this.#next] as Step;
      if (step.completedAt > index) break;
      if (step.zxid <= 0) continue;
      const known = this.#newest.get(step.session);
      if (known === undefined || known.zxid < step.zxid) this.#newest.set(step.session, step);
    }
    return this.#newest.get(session);
  }
}

/** The guarded znode accepts tokens in strictly increasing order, each of a candidate that had come to reign. */
function checkTokens(history: ZookeeperHistory, guard: string, reigns: readonly Reign[]): Verdict {
  const promise = new PromiseCheck("fencing-tokens");
  const reignByToken = new Map(reigns.map((reign) => [reign.candidacy.createdAt, reign]));
  const steps = history.steps.filter((step) => step.path === guard && step.outcome === "ok" && step.zxid > 0);
  steps.sort((a, b) => a.zxid - b.zxid);
  let newest: { readonly token: Zxid; readonly step: Step } | undefined;
  for (const step of steps) {
    const data = step.op === "setData" || step.op === "getData" ? step.data : undefined;
    if (typeof data !== "string") continue;
    const tokens = parseTokens(data);
    promise.checked();
    const completion = step.reply;
    if (tokens === undefined) {
      promise.broken(`${nameOf(step)} holds ${JSON.stringify(data)}, which is no list of tokens`, completion);
      continue;
    }
    const falls = tokens.find((token, i) => i > 0 && token <= (tokens[i - 1] ?? 0));
    if (falls !== undefined) {
      promise.broken(`${nameOf(step)}: token ${show(falls)} was accepted after a later one`, completion, [
        step.invocation,
      ]);
    }
    const last = tokens.at(-1);
    if (last === undefined) continue;
    if (step.op === "setData" && !reignByToken.has(last)) {
      promise.broken(
        `${nameOf(step)}: token ${show(last)} is of no candidate that was the lowest`,
        completion,
      );
    }
    if (newest !== undefined && last < newest.token) {
      const what = `${nameOf(step)} at ${show(step.zxid)} ends in token ${show(last)}`;
      promise.broken(`${what}, after ${show(newest.token)} had been accepted`, completion, [
        newest.step.invocation,
        newest.step.completion,
      ]);
    }
    newest = { token: last, step };
  }
  return promise.verdict("the guarded znode accepts tokens in increasing order only", "lists of tokens");
}

/** Pairs of beliefs that are told one by one. */
const zombiesTold = 100;

/** A belief that went on when a younger one had begun. */
interface Zombie {
  readonly zombie: Belief;
  readonly by: Belief;
}

/** Beliefs that overlap: the older one is a zombie from the moment at which the younger one begins. */
function zombies(beliefs: readonly Belief[]): Verdict {
  const name = "zombie-leaders";
  if (beliefs.length === 0)
    return { name, verdict: "holds", vacuous: true, detail: "nobody believed that it led" };
  const { count, longestMs, first } = overlaps(beliefs);
  const counts = { leaderships: beliefs.length, zombies: count, "longest ms": longestMs };
  const told =
    count === 0
      ? "no two of them overlap"
      : `${count} times an older leader went on believing, at most ${longestMs.toFixed(0)} ms long ` +
        "(unavoidable without synchronised clocks; the tokens keep the guarded resource safe)";
  const evidence: Json = first.map(({ zombie, by }) => ({
    zombie: zombie.candidate,
    by: by.candidate,
    from: by.begin.index,
    until: zombie.end?.index ?? null,
    ms: overlapMs(zombie, by),
  }));
  return { name, verdict: "holds", detail: `${beliefs.length} leaderships: ${told}`, counts, evidence };
}

/** How long both believed; where neither stepped down before the history ended nobody knows, and it counts 0. */
function overlapMs(zombie: Belief, { begin, end }: Belief): number {
  const until = zombie.end ?? end ?? begin;
  return Math.max(0, until.time - begin.time) / 1e6;
}

/** How many pairs of beliefs overlap, for how long at most, and the first of them. Beliefs in order of their begin. */
function overlaps(beliefs: readonly Belief[]): {
  readonly count: number;
  readonly longestMs: number;
  readonly first: readonly Zombie[];
} {
  const ends = beliefs.filter(({ end }) => end !== undefined);
  ends.sort((a, b) => endOf(a) - endOf(b));
  const open = new Set<Belief>();
  const first: Zombie[] = [];
  let [count, longestMs, ended] = [0, 0, 0];
  let endless: Belief | undefined;
  let lasting: Belief | undefined;
  for (const by of beliefs) {
    for (; ended < ends.length && endOf(ends[ended]) <= by.begin.index; ended++)
      open.delete(ends[ended] as Belief);
    count += open.size;
    for (const zombie of open) {
      if (first.length === zombiesTold) break;
      first.push({ zombie, by });
    }
    // Of those that are open, the one that ends last overlaps longest, but for those without an end.
    for (const zombie of [endless, lasting])
      if (zombie !== undefined && open.has(zombie)) longestMs = Math.max(longestMs, overlapMs(zombie, by));
    open.add(by);
    if (by.end === undefined) endless = by;
    else if (lasting === undefined || endOf(by) > endOf(lasting)) lasting = by;
  }
  return { count, longestMs, first };
}

function endOf(belief: Belief | undefined): number {
  return belief?.end?.index ?? Infinity;
}
