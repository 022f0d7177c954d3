import { Acknowledged } from "./acknowledged.ts";
import { type OtherWay, prefixOf } from "./choices.ts";
import { Components } from "./components.ts";
import { reservedCandidates } from "./explaining.ts";
import { Facts } from "./facts.ts";
import { Mentions } from "./mentions.ts";
import { showSteps } from "./passes.ts";
import { type AttemptResult, Replay, type ReplayInput, type ReplayOptions } from "./replay-attempt.ts";
import { SequenceBounds } from "./sequence-bounds.ts";
import { SessionLives } from "./session-ends.ts";
import type { Step } from "./history/steps.ts";
import type { ZookeeperHistory } from "./history/zookeeper-history.ts";
import { Unanswered } from "./unanswered.ts";

/** The outcome of a replay: the attempt that explains everything, or one that explains as much as was found to be possible. */
export interface ReplayResult extends AttemptResult {
  readonly acknowledged: Acknowledged;
  readonly attempts: number;
}

/** Steps that all attempts together may replay. */
const replayedMax = 20_000_000;
const attemptsMax = 5000;

/**
 * Replays a history by its zxids (see Replay). Where several unanswered writes could explain the same observation, an
 * attempt takes the most likely one; only if an answer stays inexplicable are the others tried, those about the same
 * path first, those that can't have to do with it never. An answer that none explains is a contradiction; the attempt
 * that came furthest goes on behind it. Without such ambiguities one attempt decides.
 */
export function replayHistory(history: ZookeeperHistory, options: ReplayOptions = {}): ReplayResult {
  const input = inputOf(history);
  const search = new Search(history, input, new Replay(input, options));
  const attempt = search.run();
  return { ...attempt, acknowledged: input.acknowledged, attempts: search.attempts };
}

class Search {
  readonly #history: ZookeeperHistory;
  readonly #input: ReplayInput;
  readonly #replay: Replay;
  #components: Components | undefined;
  #spent = 0;
  attempts = 0;

  constructor(history: ZookeeperHistory, input: ReplayInput, replay: Replay) {
    this.#history = history;
    this.#input = input;
    this.#replay = replay;
  }

  run(): AttemptResult {
    let settled: readonly number[] = [];
    let isDoubtful = false;
    for (;;) {
      const found = this.#furthest(settled, isDoubtful);
      if (found.attempt !== undefined) return found.attempt;
      isDoubtful ||= found.isCut;
      if (this.#isSpent) {
        const [prefix, count] = [found.chosen, found.chosen.length];
        return this.#replay.run({ prefix, settled: count, isDoubtful, toTheEnd: true });
      }
      settled = found.chosen;
    }
  }

  /** Tries the ways that begin with the settled ones: the attempt that comes to the end, or the choices of the one that came furthest. */
  #furthest(settled: readonly number[], isDoubtful: boolean): Furthest {
    const stack: OtherWay[] = [];
    let prefix = settled;
    let best: { readonly chosen: readonly number[]; readonly replayed: number } | undefined;
    for (;;) {
      const attempt = this.#replay.run({ prefix, settled: settled.length, isDoubtful });
      this.attempts++;
      this.#spent += attempt.spent;
      const { stuckAt, choices, replayed } = attempt;
      if (stuckAt === undefined) return { attempt };
      if (best === undefined || replayed > best.replayed) best = { chosen: choices.chosen, replayed };
      stack.push(...choices.others(stuckAt, (path) => this.#areRelated(path, stuckAt)));
      const next = this.#isSpent ? undefined : stack.pop();
      if (next === undefined) break;
      prefix = prefixOf(next);
    }
    return { attempt: undefined, chosen: best?.chosen ?? settled, isCut: stack.length > 0 };
  }

  get #isSpent(): boolean {
    return this.#spent > replayedMax || this.attempts >= attemptsMax;
  }

  #areRelated(a: string, b: string): boolean {
    const { unanswered } = this.#input;
    this.#components ??= new Components(unanswered.candidates, this.#history.creates);
    return this.#components.related(a, b);
  }
}

type Furthest =
  | { readonly attempt: AttemptResult }
  | { readonly attempt: undefined; readonly chosen: readonly number[]; readonly isCut: boolean };

function inputOf(history: ZookeeperHistory): ReplayInput {
  const { answered, floor, positioned } = history;
  const acknowledged = new Acknowledged(positioned);
  const steps = history.determined.toSorted(inReplayOrder);
  const unanswered = new Unanswered(history);
  const mentions = new Mentions(acknowledged, floor);
  const lives = new SessionLives(history);
  let bounds: SequenceBounds | undefined;
  let facts: Facts | undefined;
  const newFacts = (): Facts => new Facts(history, unanswered.candidates, lives);
  if (unanswered.candidates.length > 0) facts = newFacts();
  showSteps(answered, facts === undefined ? [mentions.see] : [mentions.see, facts.see]);
  facts?.sort();
  mentions.seeEvents(history.watches);
  const groups = mentions.groups();
  return {
    steps,
    groups,
    acknowledged,
    floor,
    unanswered,
    reserved: reservedCandidates(groups, unanswered),
    lives,
    // What only unseen transactions need.
    get bounds() {
      return (bounds ??= new SequenceBounds(history));
    },
    get facts() {
      if (facts === undefined) {
        facts = newFacts();
        showSteps(answered, [facts.see]);
        facts.sort();
      }
      return facts;
    },
  };
}

function inReplayOrder(a: Step, b: Step): number {
  if (a.zxid !== b.zxid) return a.zxid - b.zxid;
  if (a.isWrite !== b.isWrite) return a.isWrite ? -1 : 1;
  return a.invokedAt - b.invokedAt;
}
