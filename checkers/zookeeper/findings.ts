import type { Event, Json } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { EventReference } from "./history/recorded-events.ts";

/** An event that shows something, or where it is to be found. */
export type Witness = Event | EventReference;

/** Something that a promise rules out. */
export interface Finding {
  readonly summary: string;
  /** Events involved; the last to be explained is `earliest`. */
  readonly events: readonly Witness[];
  readonly earliest: Witness;
  /** Why it may have an explanation after all. */
  readonly doubt: string | undefined;
}

const findingsMax = 1000;

/** Collects what breaks one promise, and makes the verdict on it. */
export class PromiseCheck {
  readonly name: string;
  #checked = 0;
  #broken = 0;
  #doubtful = 0;
  readonly #findings: Finding[] = [];
  readonly #counts: { [name: string]: number } = {};

  constructor(name: string) {
    this.name = name;
  }

  /** Something exercised the promise. */
  checked(times = 1): void {
    this.#checked += times;
  }

  count(name: string, by = 1): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + by;
  }

  /** With a `doubt` it is no violation for certain: not everything that may explain it was tried. */
  broken(
    summary: string,
    earliest: Witness,
    others: readonly (Witness | undefined)[] = [],
    doubt?: string,
  ): void {
    if (doubt === undefined) this.#broken++;
    else this.#doubtful++;
    if (this.#findings.length >= findingsMax) return;
    this.#findings.push({ summary, earliest, events: involved(earliest, others), doubt });
  }

  /** `what` was checked, for example "reads show the tree at their zxid". */
  verdict(what: string, unit: string, evidence?: Json): Verdict {
    const counts = {
      checked: this.#checked,
      violations: this.#broken,
      ...(this.#doubtful === 0 ? {} : { undecided: this.#doubtful }),
      ...this.#counts,
    };
    const more = evidence === undefined ? {} : { evidence };
    const first = this.#first();
    if (first !== undefined) {
      const { summary, events, earliest, doubt } = first;
      const found = doubt === undefined ? this.#broken : this.#doubtful;
      const rest = found > 1 ? ` (and ${found - 1} more)` : "";
      if (doubt !== undefined) {
        const detail = `${summary}${rest}; ${doubt}`;
        return { name: this.name, verdict: "unknown", detail, counts, ...more };
      }
      const violation = { summary, events: events.map(eventOf), earliest: eventOf(earliest) };
      return {
        name: this.name,
        verdict: "violated",
        detail: `${summary}${rest}`,
        counts,
        violation,
        ...more,
      };
    }
    if (this.#checked === 0) {
      const detail = `no case: the history holds nothing to which "${what}" applies`;
      return { name: this.name, verdict: "holds", vacuous: true, detail, counts, ...more };
    }
    return {
      name: this.name,
      verdict: "holds",
      detail: `${what}: ${this.#checked} ${unit}`,
      counts,
      ...more,
    };
  }

  /** The earliest of those without a doubt; where there are none, of the others. */
  #first(): Finding | undefined {
    let first: Finding | undefined;
    for (const finding of this.#findings) {
      if (finding.doubt !== undefined && this.#broken > 0) continue;
      if (first === undefined || finding.earliest.index < first.earliest.index) first = finding;
    }
    return first;
  }
}

function eventOf(witness: Witness): Event {
  return witness instanceof EventReference ? witness.read() : witness;
}

function involved(earliest: Witness, others: readonly (Witness | undefined)[]): Witness[] {
  const all = new Map<number, Witness>();
  for (const event of [earliest, ...others]) if (event !== undefined) all.set(event.index, event);
  return [...all.values()].sort((a, b) => a.index - b.index);
}
