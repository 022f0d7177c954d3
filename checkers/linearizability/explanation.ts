import type { SequentialSpecification } from "../../model/light.ts";
import { minimise } from "./minimise.ts";
import type { ObjectCheck, ObjectFinding } from "./object-check.ts";
import type { TimedOperation } from "./operations.ts";
import { Oracle, startingAt, upTo } from "./oracle.ts";
import { confirmImpossible } from "./verify.ts";

/** Why a history of one object is not linearizable. */
export interface Explanation {
  readonly summary: string;
  /** The operation with the earliest completion up to which the history can't be explained. */
  readonly earliest: TimedOperation;
  /** False when the time to look for an earlier one ran out. */
  readonly isEarliest: boolean;
  /** Operations concurrent with it. */
  readonly concurrent: readonly TimedOperation[];
  /** The longest linearizations of what comes before, each ending in another state. */
  readonly longest: readonly Linearization[];
  /**
   * Operations that fail by themselves, in the order of their calls. They fail from every state of `from`, even if all
   * others that change the object and were open then or called later may have happened at any time, or never; without
   * any one of them that is no longer so.
   */
  readonly minimal: readonly TimedOperation[];
  /** States, in words: the initial one, and those that everything completed before `minimal` begins can lead to. */
  readonly from: readonly string[];
  /** False when the time for making it smaller ran out. */
  readonly isMinimal: boolean;
  /** What the independent verifier says of `minimal`: that no order exists, or that there were too many to try. */
  readonly confirmed: "impossible" | "undecided";
}

export interface Linearization {
  readonly order: readonly TimedOperation[];
  /** The states that it may end in, in words. */
  readonly state: string;
}

const timeMs = 2_000;
const verifierStepsMax = 300_000;

/**
 * Explains a violation that a check has found.
 *
 * Differs from a plain search for the smallest failing sub-history: that would leave out a write and present the read
 * of its value as impossible. Here an operation that is left out may still have happened, at any time.
 */
export function explain<State>(check: ObjectCheck<State>, finding: ObjectFinding): Explanation {
  const oracle = new Oracle(check.specification, performance.now() + timeMs);
  const { operations, specification } = check;
  const { earliest, isEarliest } = earliestOf(operations, finding, oracle);
  const at = operations[earliest] as TimedOperation;
  const before = upTo(operations, at.return);
  const { kept, isMinimal, from } = minimise(before, earliest, finding.involved ?? [], oracle);
  const minimal = kept.map((index) => operations[index] as TimedOperation);
  const confirmed = confirmFrom(from, minimal, specification);
  const states = from.map(
    (state) => specification.describeState?.(state as State) ?? specification.key(state as State),
  );
  const orders = oracle.longest(before, earliest);
  return {
    summary: summaryOf(at, minimal, states, specification),
    earliest: at,
    isEarliest,
    concurrent: operations.filter(
      (other) => other !== at && other.call < at.return && other.return > at.call,
    ),
    longest: orders.map((order) =>
      linearizationOf(
        order.map((index) => operations[index] as TimedOperation),
        specification,
      ),
    ),
    minimal,
    from: states,
    isMinimal,
    confirmed,
  };
}

/** Has the independent verifier try every order, from each state. */
function confirmFrom<State>(
  states: readonly unknown[],
  minimal: readonly TimedOperation[],
  specification: SequentialSpecification<State>,
): "impossible" | "undecided" {
  let confirmed: "impossible" | "undecided" = "impossible";
  for (const state of states) {
    const found = confirmImpossible(
      minimal,
      startingAt(specification, state as State),
      verifierStepsMax / states.length,
    );
    if (found === "possible")
      throw new Error("a violation was reduced to operations that have a linearization");
    if (found === "undecided") confirmed = "undecided";
  }
  return confirmed;
}

/**
 * The first completion, in order, up to which the operations can't be explained. What the decision tells of it is a
 * hint: it may have looked ahead, or allowed too much at first.
 */
function earliestOf(
  operations: readonly TimedOperation[],
  finding: ObjectFinding,
  oracle: Oracle<unknown>,
): { readonly earliest: number; readonly isEarliest: boolean } {
  const byReturn = [...operations.keys()].filter((at) => operations[at]?.return !== Infinity);
  byReturn.sort(
    (a, b) => (operations[a] as TimedOperation).return - (operations[b] as TimedOperation).return,
  );
  let isEarliest = true;
  const fails = (position: number): boolean => {
    if (position < 0) return false;
    const answer = oracle.fails(
      upTo(operations, (operations[byReturn[position] as number] as TimedOperation).return),
    );
    if (answer === undefined) isEarliest = false;
    return answer ?? false;
  };
  const hint =
    finding.unexplained === undefined ? byReturn.length - 1 : byReturn.indexOf(finding.unexplained);
  let [low, high] = [0, byReturn.length - 1];
  if (fails(hint)) {
    high = hint;
    // Mostly the hint is right, or nearly.
    for (let step = 1; high > 0; step *= 8) {
      const probe = Math.max(-1, high - step);
      if (fails(probe)) high = probe;
      else {
        low = probe + 1;
        break;
      }
    }
  } else low = Math.min(hint + 1, high);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (fails(middle)) high = middle;
    else low = middle + 1;
  }
  return { earliest: byReturn[high] as number, isEarliest };
}

function linearizationOf<State>(
  order: readonly TimedOperation[],
  specification: SequentialSpecification<State>,
): Linearization {
  let states: readonly State[] = [specification.initial];
  for (const operation of order) {
    const byKey = new Map<string, State>();
    for (const state of states) {
      for (const next of specification.step(state, operation)) byKey.set(specification.key(next), next);
    }
    states = [...byKey.values()];
  }
  const describe = (state: State): string => specification.describeState?.(state) ?? specification.key(state);
  return { order, state: states.map(describe).join(" or ") };
}

const shownMax = 8;

function summaryOf<State>(
  earliest: TimedOperation,
  minimal: readonly TimedOperation[],
  states: readonly string[],
  specification: SequentialSpecification<State>,
): string {
  const others = minimal.filter((operation) => operation !== earliest);
  const shown = others.slice(-shownMax).map((operation) => nameOf(operation, specification));
  const more = others.length > shownMax ? ` and ${String(others.length - shownMax)} more` : "";
  const beside = others.length === 0 ? "whatever else happened" : `together with ${shown.join("; ")}${more}`;
  const from =
    states.length === 0
      ? ""
      : `, starting from ${states.slice(0, shownMax).join(" or ")}${states.length > shownMax ? " or others" : ""}`;
  return `${nameOf(earliest, specification)} can't be explained ${beside}${from}`;
}

/** An operation in a few words, with the events of the history that it consists of. */
export function nameOf<State>(
  operation: TimedOperation,
  specification: SequentialSpecification<State>,
): string {
  const words =
    specification.describeCall?.(operation) ??
    `${operation.f} ${JSON.stringify(operation.argument)} -> ${operation.result === undefined ? "?" : JSON.stringify(operation.result)}`;
  const end = operation.completion === undefined ? "" : `-${String(operation.completion.index)}`;
  return `${words} (process ${String(operation.process)}, events ${String(operation.invocation.index)}${end})`;
}
