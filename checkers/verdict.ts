import type { Event, Json } from "../model/index.ts";

/** `unknown` is never a pass: it says what was left undone. */
export type Outcome = "holds" | "violated" | "unknown";

/** What a checker or an exploration says of one property, with its reasons. */
export interface Verdict {
  /** The property: "linearizable", "session-order", "PrefixConsistency". */
  readonly name: string;
  readonly verdict: Outcome;
  /** One sentence for people: what held and within which bounds, what broke, or what was left undone. */
  readonly detail: string;
  /** True when nothing in the input exercised the property: it holds for want of cases. */
  readonly vacuous?: boolean;
  /** The smallest evidence that convinces. Present when and only when `verdict` is "violated". */
  readonly violation?: Violation;
  /** Figures: operations judged, keys, states, anomalies by class. */
  readonly counts?: { readonly [name: string]: number };
  /** Whatever else a report can show; JSON only. */
  readonly evidence?: Json;
}

export interface Violation {
  /** What cannot be explained, and why, in one or two sentences. */
  readonly summary: string;
  /** The events involved, by their index in the history, in order. Empty where the subject is not a history. */
  readonly events: readonly Event[];
  /** The earliest event that cannot be explained. */
  readonly earliest?: Event;
}

/** The worst of several outcomes: violated dominates unknown, unknown dominates holds. */
export function worst(outcomes: Iterable<Outcome>): Outcome {
  let result: Outcome = "holds";
  for (const outcome of outcomes) {
    if (outcome === "violated") return "violated";
    if (outcome === "unknown") result = "unknown";
  }
  return result;
}
