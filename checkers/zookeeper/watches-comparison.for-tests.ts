import fc from "fast-check";
import { expect } from "vitest";
import { type Event, watchesProcess } from "../../model/index.ts";
import { type MissedChange, missedChanges } from "./missed-changes.ts";
import { replayHistory } from "./replay.ts";
import { readHistory } from "./history/intake.ts";
import type { Step } from "./history/steps.ts";
import { watchedChanges } from "./watch-changes.ts";
import { damaged, historyOf, lossyPlan, mortalPlan, type Plan } from "./watched-histories.for-tests.ts";
import { isLegal } from "./watches-twin.for-tests.ts";
import { checkWatches } from "./watches.ts";

export interface Comparison {
  readonly events: readonly Event[];
  readonly legal: boolean;
  /** Whether a request was lost on a connection without zxids: then not everything is found. */
  readonly isLoose: boolean;
  readonly fast: string;
  readonly detail: string;
}

/**
 * A history judged by checkWatches, which is given what really happened to the tree, and by its twin; `alter` does more
 * damage than the plan.
 */
export function compare(plan: Plan, alter: (event: Event) => Event = (event) => event): Comparison {
  const events = historyOf(plan);
  const whole = readHistory(events);
  const byStep: (readonly MissedChange[])[] = [];
  const replay = replayHistory(whole, {
    wants: watchedChanges(whole),
    look: (step, tree) => {
      if (step.op === "setWatches") byStep[step.invokedAt] = missedChanges(step, tree);
    },
  });
  const told = damaged(events, plan).map(alter);
  const history = readHistory(told);
  const asked = whole.steps.filter(isSettingAgain).map(({ invokedAt }) => byStep[invokedAt] ?? []);
  const missed = new Map(history.steps.filter(isSettingAgain).map((step, i) => [step, asked[i] ?? []]));
  const { verdict, detail } = checkWatches(history, { ...replay, missed }).verdict("", "");
  return {
    events: told,
    legal: isLegal(told),
    isLoose: losesWithoutZxid(told),
    fast: verdict,
    detail: detail ?? "",
  };
}

function losesWithoutZxid(events: readonly Event[]): boolean {
  /** By session: the events of its connection, with a request that was lost. */
  const connections = new Map<string, Event[]>();
  for (const event of events) {
    const session = event.session ?? "";
    const seen = connections.get(session) ?? [];
    if (event.f === "disconnect") {
      connections.delete(session);
      const told = seen.filter(({ process }) => process === watchesProcess);
      const isTold = told.length > 0 && told.every(({ zxid }) => zxid === undefined);
      if (isTold && told.length < seen.length) return true;
    } else if (event.process === watchesProcess || event.error === "the connection was lost")
      connections.set(session, [...seen, event]);
  }
  return false;
}

function isSettingAgain({ op }: Step): boolean {
  return op === "setWatches";
}

/** What a history exercises, by name. */
function exercised(events: readonly Event[]): readonly string[] {
  const names = new Set<string>();
  const open = new Map<string, number>();
  const mode = (event: Event): unknown => (event.value as { readonly mode?: unknown }).mode;
  const again = events.some(({ type, f }) => type === "ok" && f === "setWatches");
  for (const event of events) {
    if (event.process === watchesProcess && event.zxid === undefined) names.add(again ? "missed" : "old");
    if (event.f === "addWatch" && mode(event) === "persistent-recursive") names.add("recursive");
    if (event.f === "multi" && event.type === "ok") names.add("multi");
    if (event.f === "removeWatches" && event.type === "ok") names.add("removed");
    if (event.type === "info" && event.error !== undefined) names.add("unanswered");
    if (typeof event.process !== "number") continue;
    const now = (open.get(event.session ?? "") ?? 0) + (event.type === "invoke" ? 1 : -1);
    open.set(event.session ?? "", now);
    if (now > 1) names.add("pipelined");
  }
  return [...names];
}

/** Expects both to say the same of so many histories, and counts what they were, and what they exercised. */
export function compareMany(plans: fc.Arbitrary<Plan>, numRuns: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const count = (name: string): unknown => counts.set(name, (counts.get(name) ?? 0) + 1);
  fc.assert(
    fc.property(plans, (plan) => {
      const { events, legal, isLoose, fast, detail } = compare(plan);
      if (legal || !isLoose) expect([fast, detail]).toEqual([legal ? "holds" : "violated", detail]);
      if (plan.damage === "none") expect(legal).toBe(true);
      count(`${plan.damage} ${fast}`);
      for (const name of exercised(events)) count(name);
    }),
    { numRuns },
  );
  return counts;
}

/** Expects that what is legal holds where nodes go unseen, and counts what is found to be broken all the same. */
export function neverBlames(numRuns: number): number {
  let broken = 0;
  fc.assert(
    fc.property(mortalPlan, (plan) => {
      const { legal, fast } = compare(plan);
      if (legal) expect(fast).toBe("holds");
      else if (fast === "violated") broken++;
    }),
    { numRuns },
  );
  return broken;
}

/** Expects that what servers did holds whatever is lost, and counts what is found to be broken in what they did not. */
export function neverBlamesLosses(numRuns: number): number {
  let broken = 0;
  fc.assert(
    fc.property(lossyPlan, (plan) => {
      const { fast, detail } = compare({ ...plan, damage: "none" });
      expect([fast, detail]).toEqual(["holds", detail]);
      if (compare(plan).fast === "violated") broken++;
    }),
    { numRuns },
  );
  return broken;
}
