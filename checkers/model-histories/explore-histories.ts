import { InputError, eventsOf, type Event, type HistoryPromise, type Model } from "../../model/index.ts";
import {
  decodeValue,
  describeBounds,
  explore,
  type Counterexample,
  type ExplorationOptions,
  type ExplorationResult,
} from "../exploration/index.ts";
import type { Verdict, Violation } from "../verdict.ts";
import { judgedEvents, judgeOf } from "./judges.ts";
import { observed, observer, recordedIn, sought, Tally, type PromiseTally } from "./tally.ts";

/** How much of a model's histories was judged. */
export type HistoryCoverage =
  /** Every history that any run leaves within the bounds. */
  | "every"
  /** One for each state: that of the way on which it was found first. */
  | "one a state"
  /** Those of the walks that were taken. */
  | "walks"
  /** What was met before the exploration ended early. */
  | "some";

/** A history that breaks a promise, or shows a known anomaly, and the steps that lead to it. */
export interface HistoryExample {
  readonly promise: HistoryPromise;
  readonly kind: "violation" | "anomaly";
  readonly counterexample: Counterexample;
  /** The part of the history that the promise is about, as `zabcheck check --as` takes it. */
  readonly events: readonly Event[];
  /** What the checker says of it; undefined for an anomaly. */
  readonly violation: Violation | undefined;
}

export interface HistoryExploration {
  /** The exploration, with the promises among its verdicts. */
  readonly result: ExplorationResult;
  readonly coverage: HistoryCoverage;
  readonly tallies: readonly PromiseTally[];
  readonly examples: readonly HistoryExample[];
}

/**
 * Explores a model that records its clients' operations, and has the history checkers judge what it records.
 *
 * WHAT IS COVERED. A state together with the history of a way to it is met once for each such history, as long as the
 * history is part of the states' identity (no `view`): a breadth-first exploration that is complete has then seen every
 * history of every run within the model's bounds, and every beginning of one. Judging them all, beginnings included,
 * judges the ends: each promise is prefix-closed, for what breaks it is there for good. Then `holds` speaks of every
 * history. With `view` one history is kept for each state, in walks those that were walked: what is found there is
 * found, and what is not is `unknown`.
 *
 * Each violated promise, and each known anomaly that was met, is then looked for on its own, which gives a shortest way
 * to one (breadth-first). The engine runs as it is: a promise is an invariant of the variable that holds the history.
 * Throws InputError for a model that records none, and for several workers, which cannot be told what to judge.
 */
export async function exploreHistories(
  model: Model<unknown>,
  options: ExplorationOptions = {},
): Promise<HistoryExploration> {
  const { history } = model;
  if (history === undefined)
    throw new InputError(`the model ${model.name} records no history`, "explore it without its histories");
  if ((options.workers ?? 1) > 1)
    throw new InputError(`${options.workers} workers and histories`, "histories are judged by one worker");
  const tallies = history.promises.map((promise) => new Tally(promise));
  const see = (events: readonly Event[]): void => {
    for (const tally of tallies) tally.add(events);
  };
  const explored = await explore(observed(model, see), options);
  const found = tallies.map((tally) => tally.result);
  const coverage = coverageOf(explored);
  const examples: HistoryExample[] = [];
  for (const tally of tallies) {
    const { violated, anomalous } = tally.result;
    if (violated > 0) examples.push(...(await exampleOf(model, tally, "violation", options)));
    if (anomalous > 0) examples.push(...(await exampleOf(model, tally, "anomaly", options)));
  }
  const promises = found.map((tally) => verdictOf(tally, coverage, explored, examples));
  const verdicts = [...explored.verdicts.filter(({ name }) => name !== observer), ...promises];
  const first = examples.find(({ kind }) => kind === "violation");
  const counterexample = explored.counterexample ?? first?.counterexample ?? null;
  return { result: { ...explored, verdicts, counterexample }, coverage, tallies: found, examples };
}

function coverageOf({ mode, view, ending }: ExplorationResult): HistoryCoverage {
  if (mode === "simulation") return "walks";
  if (view.length > 0) return "one a state";
  return ending === "complete" ? "every" : "some";
}

/** A way to a history that breaks the promise or shows its anomaly: the shortest, where the search is breadth-first. */
async function exampleOf(
  model: Model<unknown>,
  tally: Tally,
  kind: HistoryExample["kind"],
  { checkpoint: _checkpoint, resume: _resume, onProgress: _onProgress, ...options }: ExplorationOptions,
): Promise<readonly HistoryExample[]> {
  const broken = sought(model, tally, kind === "violation" ? "violated" : "anomaly");
  const { counterexample } = await explore(broken, options);
  // None where the time was up before it was found again.
  if (counterexample === null) return [];
  const last = counterexample.steps.at(-1)?.state ?? counterexample.initial;
  const { promise } = tally;
  const events = eventsOf(recordedIn(model, decodeValue(last)));
  const { violation } = judgeOf(promise)(events);
  return [{ promise, kind, counterexample, events: judgedEvents(promise, events), violation }];
}

function verdictOf(
  tally: PromiseTally,
  coverage: HistoryCoverage,
  explored: ExplorationResult,
  examples: readonly HistoryExample[],
): Verdict {
  const { promise, judged, exercised, violated, unknown, anomalous } = tally;
  const { name, anomaly } = promise;
  const bounds = describeBounds(explored);
  const counts = {
    histories: judged,
    exercised,
    violated,
    ...(anomaly === undefined ? {} : { [anomaly]: anomalous }),
  };
  const names = explored.symmetry ? ", and up to the names of clients" : "";
  const histories = `${number(judged)} histories (beginnings included${names})`;
  const known =
    anomalous === 0
      ? ""
      : `; ${number(anomalous)} of them show the known anomaly ${anomaly ?? ""}, which is no violation`;
  if (violated > 0) {
    const example = examples.find((each) => each.promise === promise && each.kind === "violation");
    const why = example?.violation === undefined ? "" : `; one of them: ${example.violation.summary}`;
    const summary = `${number(violated)} of ${histories} break ${name}${why}`;
    const violation = { events: [], ...example?.violation, summary };
    return { name, verdict: "violated", detail: `broken within ${bounds}`, violation, counts };
  }
  if (unknown > 0) {
    const detail = `its checker could not decide ${number(unknown)} of ${histories}`;
    return { name, verdict: "unknown", detail, counts };
  }
  if (coverage !== "every") {
    const detail = `not broken in ${histories}${known}: ${describeCoverage(coverage)}; ${bounds}`;
    return { name, verdict: "unknown", detail, counts };
  }
  if (exercised > 0) {
    const detail = `holds in all ${histories} that runs leave${known}; ${bounds}`;
    return { name, verdict: "holds", detail, counts };
  }
  return {
    name,
    verdict: "holds",
    vacuous: true,
    detail: `never exercised in ${histories}; ${bounds}`,
    counts,
  };
}

function number(value: number): string {
  return value.toLocaleString("en");
}

/** What was judged, where that is not all. */
function describeCoverage(coverage: HistoryCoverage): string {
  switch (coverage) {
    case "every":
      return "every history was judged";
    case "one a state":
      return "one history was judged for each state, that of the way on which it was found first";
    case "walks":
      return "those of random walks were judged";
    case "some":
      return "not all was explored";
  }
}
