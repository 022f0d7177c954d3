import type { SequentialSpecification } from "../../model/light.ts";
import type { TimedOperation } from "./operations.ts";

/**
 * The definition of linearizability, tried out: every subset of the unanswered operations, every permutation that
 * respects real time, one state after the other. For tests with a handful of operations.
 */
export function isLinearizableSlowly<State>(
  operations: readonly TimedOperation[],
  specification: SequentialSpecification<State>,
): boolean {
  const unanswered = operations.filter((operation) => operation.return === Infinity);
  const answered = operations.filter((operation) => operation.return !== Infinity);
  for (let subset = 0; subset < 1 << unanswered.length; subset++) {
    const happened = unanswered.filter((_, i) => (subset & (1 << i)) !== 0);
    if (hasOrder([...answered, ...happened], specification.initial, specification)) return true;
  }
  return false;
}

function hasOrder<State>(
  left: readonly TimedOperation[],
  state: State,
  specification: SequentialSpecification<State>,
): boolean {
  if (left.length === 0) return true;
  return left.some((first) => {
    if (left.some((other) => other.return < first.call)) return false;
    const others = left.filter((other) => other !== first);
    return specification.step(state, first).some((next) => hasOrder(others, next, specification));
  });
}
