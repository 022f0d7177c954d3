import {
  canonical,
  eventsOf,
  vacuous,
  type Event,
  type HistoryPromise,
  type Invariant,
  type Judgement,
  type Model,
  type RecordedHistory,
  type Value,
} from "../../model/index.ts";
import { judgeOf, type Judge } from "./judges.ts";

/** What was found of one promise in the histories that an exploration met. */
export interface PromiseTally {
  readonly promise: HistoryPromise;
  /** Different histories that were judged, and those of them that exercised the promise. */
  readonly judged: number;
  readonly exercised: number;
  readonly violated: number;
  readonly unknown: number;
  /** Those in which the known anomaly was seen. */
  readonly anomalous: number;
}

/** What a judge says of a history, in one word. */
export type Saying = "holds" | "vacuous" | "violated" | "unknown" | "anomaly";

/** Judges histories as they come, each once, and counts. */
export class Tally {
  readonly promise: HistoryPromise;
  readonly #judge: Judge;
  readonly #counts: { [saying in Saying]: number } = {
    holds: 0,
    vacuous: 0,
    violated: 0,
    unknown: 0,
    anomaly: 0,
  };

  constructor(promise: HistoryPromise) {
    this.promise = promise;
    this.#judge = judgeOf(promise);
  }

  add(events: readonly Event[]): void {
    this.#counts[this.say(events)]++;
  }

  say(events: readonly Event[]): Saying {
    const { verdict, vacuous: isVacuous, counts } = this.#judge(events);
    if (verdict !== "holds") return verdict;
    const { anomaly } = this.promise;
    if (anomaly !== undefined && (counts?.[anomaly] ?? 0) > 0) return "anomaly";
    return isVacuous === true ? "vacuous" : "holds";
  }

  get result(): PromiseTally {
    const { holds, vacuous: unexercised, violated, unknown, anomaly } = this.#counts;
    const exercised = holds + violated + anomaly;
    return {
      promise: this.promise,
      judged: exercised + unexercised + unknown,
      exercised,
      violated,
      unknown,
      anomalous: anomaly,
    };
  }
}

/**
 * A history ends with a completion where it is worth judging: what was only invoked may not have happened, so that it
 * explains no less than before.
 */
function isWorthJudging(history: RecordedHistory): boolean {
  const last = history.at(-1);
  return last !== undefined && !last.some(({ type }) => type === "invoke");
}

/** Of the invariant that shows histories. */
export const observer = "histories are seen";

/** A model that shows each history to `see`, once, and goes on whatever is seen. */
export function observed(model: Model<unknown>, see: (events: readonly Event[]) => void): Model<unknown> {
  const seen = new Set<string>();
  const look = historyInvariant(model, observer, (recorded) => {
    const key = canonical(recorded as Value);
    if (!seen.has(key)) see(eventsOf(recorded));
    seen.add(key);
    return vacuous;
  });
  return { ...model, invariants: [...(model.invariants ?? []), look] };
}

/** A model with its promises among its invariants: whoever knows nothing of histories can judge them, too. */
export function withPromises(model: Model<unknown>): Model<unknown> {
  const promises = (model.history?.promises ?? []).map((promise) => {
    const tally = new Tally(promise);
    return historyInvariant(model, promise.name, (recorded) => {
      const saying = tally.say(eventsOf(recorded));
      return saying === "vacuous" ? vacuous : saying !== "violated";
    });
  });
  return { ...model, invariants: [...(model.invariants ?? []), ...promises] };
}

/** A model that is broken where a history is such that a promise's judge says this; nothing else of it is judged. */
export function sought(model: Model<unknown>, tally: Tally, saying: Saying): Model<unknown> {
  const { name } = tally.promise;
  const look = historyInvariant(model, name, (recorded) => tally.say(eventsOf(recorded)) !== saying);
  return { ...model, invariants: [look], stepProperties: [], recoverable: [] };
}

/** The history that a state has recorded. */
export function recordedIn({ history }: Model<unknown>, state: unknown): RecordedHistory {
  const variables = state as { readonly [variable: string]: RecordedHistory };
  return variables[history?.variable ?? ""] ?? [];
}

function historyInvariant(
  model: Model<unknown>,
  name: string,
  judge: (recorded: RecordedHistory) => Judgement,
): Invariant<unknown> {
  return {
    name,
    parameters: [[]],
    holds: (now) => {
      const recorded = recordedIn(model, now);
      return isWorthJudging(recorded) ? judge(recorded) : vacuous;
    },
  };
}
