import { specificationNamed, type Event, type HistoryPromise } from "../../model/index.ts";
import { linearizable } from "../linearizability/index.ts";
import { namedChecks, type NamedCheck } from "../recipes/index.ts";
import type { Verdict } from "../verdict.ts";

/** What a checker says of a history about a promise. */
export type Judge = (events: readonly Event[]) => Verdict;

/**
 * The judge of a promise: the checker that `zabcheck check --as` would take.
 * Throws InputError for a checker that there is none of, and for an initial value that does not fit.
 */
export function judgeOf(promise: HistoryPromise): Judge {
  const check = checkOf(promise);
  return (events) => check(judgedEvents(promise, events));
}

/** The part of a history that a promise is about. */
export function judgedEvents({ only }: HistoryPromise, events: readonly Event[]): readonly Event[] {
  return only === undefined ? events : events.filter(({ f }) => only.includes(f));
}

function checkOf({ name, as, verdict: wanted, initial }: HistoryPromise): Judge {
  const named = namedChecks.find((each) => each.name === as);
  if (named === undefined) {
    const specification = specificationNamed(as, initial);
    return (events) => linearizable(events, specification);
  }
  return (events) => {
    const verdicts = remembered(named, events);
    const found = wanted === undefined ? verdicts[0] : verdicts.find((verdict) => verdict.name === wanted);
    if (found !== undefined) return found;
    const detail = `${as} gives no verdict ${wanted ?? ""} on it`;
    return { name, verdict: "unknown", detail };
  };
}

/** The verdicts of one pass, for the promises that share it. */
const passes = new WeakMap<NamedCheck, WeakMap<readonly Event[], readonly Verdict[]>>();

function remembered(named: NamedCheck, events: readonly Event[]): readonly Verdict[] {
  const known = passes.get(named) ?? new WeakMap<readonly Event[], readonly Verdict[]>();
  passes.set(named, known);
  const verdicts = known.get(events) ?? named.check(events);
  known.set(events, verdicts);
  return verdicts;
}
