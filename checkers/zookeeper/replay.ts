import { Acknowledged } from "./acknowledged.ts";
import { Components } from "./components.ts";
import { Facts } from "./facts.ts";
import { groupsOf } from "./mentions.ts";
import { type AttemptResult, Replay, type ReplayInput, type ReplayOptions } from "./replay-attempt.ts";
import { SequenceBounds } from "./sequence-bounds.ts";
import { SessionLives } from "./session-ends.ts";
import type { Step, ZookeeperHistory } from "./steps.ts";
import { Unanswered } from "./unanswered.ts";
import { reservedCandidates } from "./unseen.ts";

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
    const stack: (readonly number[])[] = [settled];
    let best: { readonly chosen: readonly number[]; readonly replayed: number } | undefined;
    while (stack.length > 0 && (best === undefined || !this.#isSpent)) {
      const prefix = stack.pop() as readonly number[];
      const attempt = this.#replay.run({ prefix, settled: settled.length, isDoubtful });
      this.attempts++;
      this.#spent += attempt.spent;
      const { stuckAt, choices, replayed } = attempt;
      if (stuckAt === undefined) return { attempt };
      if (best === undefined || replayed > best.replayed) best = { chosen: choices.chosen, replayed };
      stack.push(...choices.others(stuckAt, (path) => this.#areRelated(path, stuckAt)));
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
  const acknowledged = new Acknowledged(history.positioned);
  const steps: Step[] = [];
  let floor = Infinity;
  history.answered.forEach((step) => {
    if (step.zxid <= 0) return;
    if (step.zxid < floor) floor = step.zxid;
    if (isDetermined(step)) steps.push(step);
  });
  steps.sort(inReplayOrder);
  const unanswered = new Unanswered(history);
  const groups = groupsOf(history, acknowledged, floor);
  const reserved = reservedCandidates(groups, unanswered);
  let lives: SessionLives | undefined;
  let bounds: SequenceBounds | undefined;
  let facts: Facts | undefined;
  return {
    steps,
    groups,
    acknowledged,
    floor,
    unanswered,
    reserved,
    // What only unseen transactions need.
    get lives() {
      return (lives ??= new SessionLives(history));
    },
    get bounds() {
      return (bounds ??= new SequenceBounds(history));
    },
    get facts() {
      return (facts ??= new Facts(history, unanswered.candidates, this.lives));
    },
  };
}

/** Whether the tree determines the answer. */
function isDetermined(step: Step): boolean {
  if (step.isWrite) return step.hasPosition;
  return (
    step.op === "getData" || step.op === "exists" || step.op === "getChildren" || step.op === "setWatches"
  );
}

function inReplayOrder(a: Step, b: Step): number {
  if (a.zxid !== b.zxid) return a.zxid - b.zxid;
  if (a.isWrite !== b.isWrite) return a.isWrite ? -1 : 1;
  return a.invokedAt - b.invokedAt;
}
