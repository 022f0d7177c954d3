import type { SequentialSpecification } from "../../model/index.ts";
import { minimise } from "./minimise.ts";
import type { ObjectCheck, ObjectFinding } from "./object-check.ts";
import type { TimedOperation } from "./operations.ts";
import { Oracle, upTo } from "./oracle.ts";
import { confirmImpossible } from "./verify.ts";

/** Why a history of one object is not linearizable. */
export interface Explanation {
  readonly summary: string;
  /** The operation with the earliest completion up to which the history can't be explained. */
  readonly earliest: TimedOperation;
  /** Operations concurrent with it. */
  readonly concurrent: readonly TimedOperation[];
  /** The longest linearizations of what comes before, each ending in another state. */
  readonly longest: readonly Linearization[];
  /**
   * Operations that fail by themselves, in the order of their calls. They fail even if all others that change the
   * object may have happened at any time after their call, or never; without any one of them that is no longer so.
   */
  readonly minimal: readonly TimedOperation[];
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
  const earliest = earliestOf(operations, finding, oracle);
  const at = operations[earliest] as TimedOperation;
  const before = upTo(operations, at.return);
  const { kept, isMinimal } = minimise(before, earliest, finding.involved ?? [], oracle);
  const minimal = kept.map((index) => operations[index] as TimedOperation);
  const confirmed = confirmImpossible(minimal, specification, verifierStepsMax);
  if (confirmed === "possible")
    throw new Error("a violation was reduced to operations that have a linearization");
  const orders = oracle.longest(before, earliest);
  return {
    summary: summaryOf(at, minimal, specification),
    earliest: at,
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
    isMinimal,
    confirmed,
  };
}

/**
 * The first completion, in order, up to which the operations can't be explained. An algorithm that looks ahead (one
 * of the specialised, or a search that knew later reads) may have given up sooner than that, never later.
 */
function earliestOf(
  operations: readonly TimedOperation[],
  finding: ObjectFinding,
  oracle: Oracle<unknown>,
): number {
  const byReturn = [...operations.keys()].filter((at) => operations[at]?.return !== Infinity);
  byReturn.sort(
    (a, b) => (operations[a] as TimedOperation).return - (operations[b] as TimedOperation).return,
  );
  const fails = (position: number): boolean =>
    oracle.fails(upTo(operations, (operations[byReturn[position] as number] as TimedOperation).return));
  let low = finding.unexplained === undefined ? 0 : byReturn.indexOf(finding.unexplained);
  let high = byReturn.length - 1;
  if (finding.unexplained !== undefined && fails(low)) return finding.unexplained;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (fails(middle)) high = middle;
    else low = middle + 1;
  }
  return byReturn[high] as number;
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
  specification: SequentialSpecification<State>,
): string {
  const others = minimal.filter((operation) => operation !== earliest);
  const shown = others.slice(-shownMax).map((operation) => nameOf(operation, specification));
  const more = others.length > shownMax ? ` and ${String(others.length - shownMax)} more` : "";
  const beside = others.length === 0 ? "whatever else happened" : `together with ${shown.join("; ")}${more}`;
  return `${nameOf(earliest, specification)} can't be explained ${beside}`;
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
