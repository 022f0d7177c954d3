import type { Call, SequentialSpecification } from "../../model/light.ts";

/**
 * The independent verifier: small enough to be read in one go, and free of the search's code. It works on the
 * plain definition (Herlihy & Wing, TOPLAS 12(3), 1990): operations are calls with closed intervals, of which the
 * answered ones all happened, and the unanswered ones (`return` Infinity) may have.
 */
export interface VerifiedOperation extends Call {
  /** Ranks in the history: the call's below its return's. */
  readonly call: number;
  readonly return: number;
}

/** Why an order is no linearization of the operations; undefined when it is one. `order` holds indexes. */
export function refuteOrder<State>(
  operations: readonly VerifiedOperation[],
  order: readonly number[],
  specification: SequentialSpecification<State>,
): string | undefined {
  const placed = new Uint8Array(operations.length);
  let states: readonly State[] = [specification.initial];
  let latestCall = -Infinity;
  for (const at of order) {
    const operation = operations[at];
    if (operation === undefined || placed[at] === 1)
      return `operation ${String(at)} does not exist or stands there twice`;
    placed[at] = 1;
    if (operation.return < latestCall)
      return `operation ${String(at)} stands after one that began when it had returned`;
    latestCall = Math.max(latestCall, operation.call);
    states = following(states, operation, specification);
    if (states.length === 0) return `operation ${String(at)} is impossible where it stands`;
  }
  const missing = operations.findIndex((operation, at) => operation.return !== Infinity && placed[at] === 0);
  return missing === -1 ? undefined : `operation ${String(missing)} was answered and has no place`;
}

/**
 * Whether no order exists at all, found by trying every one: "impossible", "possible", or "undecided" after `stepsMax`
 * attempts. For the few operations that a violation has been reduced to.
 */
export function confirmImpossible<State>(
  operations: readonly VerifiedOperation[],
  specification: SequentialSpecification<State>,
  stepsMax: number,
): "impossible" | "possible" | "undecided" {
  const refuted = new Set<string>();
  let steps = 0;
  const left = new Set(operations.keys());
  const canFinish = (states: readonly State[]): boolean | undefined => {
    const earliest = Math.min(...[...left].map((at) => (operations[at] as VerifiedOperation).return));
    if (earliest === Infinity) return true;
    const situation = `${[...left].join(" ")}|${states.map((state) => specification.key(state)).join("|")}`;
    if (refuted.has(situation)) return false;
    for (const at of [...left]) {
      const operation = operations[at] as VerifiedOperation;
      if (operation.call > earliest) continue;
      if (++steps > stepsMax) return undefined;
      const next = following(states, operation, specification);
      if (next.length === 0) continue;
      left.delete(at);
      const finished = canFinish(next);
      left.add(at);
      if (finished !== false) return finished;
    }
    refuted.add(situation);
    return false;
  };
  const finished = canFinish([specification.initial]);
  return finished === undefined ? "undecided" : finished ? "possible" : "impossible";
}

/** Every state that one of the states may become, each once. */
function following<State>(
  states: readonly State[],
  operation: Call,
  specification: SequentialSpecification<State>,
): readonly State[] {
  const call: Call = { f: operation.f, argument: operation.argument, result: operation.result };
  if (states.length === 1) {
    const next = specification.step(states[0] as State, call);
    if (next.length < 2) return next;
  }
  const byKey = new Map<string, State>();
  for (const state of states)
    for (const next of specification.step(state, call)) byKey.set(specification.key(next), next);
  return [...byKey.values()];
}
