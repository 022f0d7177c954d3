import type { Zxid, ZnodeTree } from "../../model/index.ts";
import { Choices } from "./choices.ts";
import { Components } from "./components.ts";
import { groupsOf } from "./mentions.ts";
import { type AttemptResult, ReplayAttempt, type ReplayInput } from "./replay-attempt.ts";
import { SequenceBounds } from "./sequence-bounds.ts";
import { SessionLives } from "./session-ends.ts";
import type { Step, ZookeeperHistory } from "./steps.ts";
import { Unanswered } from "./unanswered.ts";
import { reservedCandidates } from "./unseen.ts";

/** The outcome of a replay: the attempt that explains everything, or the one that came furthest. */
export interface ReplayResult extends AttemptResult {
  readonly acknowledged: ReadonlyMap<Zxid, Step>;
  readonly attempts: number;
  /** Some way of working in unanswered writes was left untried, and none of the others explained everything. */
  readonly undecided: boolean;
}

/** Steps that all attempts together may replay. */
const replayedMax = 20_000_000;
const attemptsMax = 2000;

/**
 * Replays a history by its zxids (see ReplayAttempt). Where several unanswered writes could explain the same
 * observation, an attempt takes the most likely one; only if an answer stays inexplicable are the others tried, those
 * about the same path first, those that can't have to do with it never. Without such ambiguities one attempt decides.
 */
export function replayHistory(
  history: ZookeeperHistory,
  look?: (step: Step, tree: ZnodeTree) => void,
): ReplayResult {
  const input = inputOf(history);
  const { acknowledged } = input;
  const budget = Math.max(8, Math.min(attemptsMax, Math.floor(replayedMax / (input.steps.length + 1))));
  const components = new Components(input.unanswered.candidates, history.steps);
  const stack: number[][] = [[]];
  let best: { readonly prefix: readonly number[]; readonly replayed: number } | undefined;
  let attempts = 0;
  for (; attempts < budget; attempts++) {
    const prefix = stack.pop();
    if (prefix === undefined) break;
    const attempt = new ReplayAttempt(input, new Choices(prefix), false).run(look);
    if (attempt.stuckAt === undefined || !attempt.choices.anyOther) {
      return { ...attempt, acknowledged, attempts: attempts + 1, undecided: false };
    }
    if (best === undefined || attempt.replayed > best.replayed) best = { prefix, replayed: attempt.replayed };
    const { stuckAt } = attempt;
    stack.push(...attempt.choices.others(stuckAt, (path) => components.related(path, stuckAt)));
  }
  const whole = new ReplayAttempt(input, new Choices(best?.prefix ?? []), true).run(look);
  return { ...whole, acknowledged, attempts, undecided: stack.length > 0 };
}

function inputOf(history: ZookeeperHistory): ReplayInput {
  const acknowledged = new Map<Zxid, Step>();
  let floor = Infinity;
  for (const step of history.steps) {
    if (step.hasPosition) acknowledged.set(step.zxid, step);
    if (step.zxid > 0 && step.zxid < floor) floor = step.zxid;
  }
  const unanswered = new Unanswered(history.steps);
  const groups = groupsOf(history.steps, history.watches, acknowledged, floor);
  const steps = history.steps.filter((step) => step.isAnswered && step.zxid > 0 && isDetermined(step));
  steps.sort(inReplayOrder);
  const reserved = reservedCandidates(groups, unanswered);
  const lives = new SessionLives(history.steps);
  const bounds = new SequenceBounds(history.steps);
  return { steps, groups, acknowledged, floor, unanswered, lives, bounds, reserved };
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
  return a.invocation.index - b.invocation.index;
}
