import type { Json } from "../../../model/light.ts";
import type { TimedOperation } from "../operations.ts";
import type { Decision, SpecialisedAlgorithm } from "./algorithm.ts";

/**
 * Registers of any values: a read that answered what nobody had begun to write. It is a violation by itself; where
 * there is none, nothing is decided. O(n).
 */
export const unwrittenValue: SpecialisedAlgorithm = {
  name: "values from nowhere",
  source: "Gibbons & Korach, SIAM J. Comput. 26(4), 1997 (each read needs its write)",
  decide: findUnwritten,
};

function findUnwritten(operations: readonly TimedOperation[], initial: Json): Decision | undefined {
  const firstCall = new Map<string, number>([[JSON.stringify(initial), -1]]);
  for (const { f, argument, result, call } of operations) {
    if (f === "read" || result === false) continue;
    const written = JSON.stringify(f === "cas" ? (argument as readonly Json[])[1] : argument);
    if (!firstCall.has(written)) firstCall.set(written, call);
  }
  const at = operations.findIndex(
    (operation) =>
      operation.f === "read" &&
      operation.return !== Infinity &&
      (firstCall.get(JSON.stringify(operation.result)) ?? Infinity) > operation.return,
  );
  return at === -1 ? undefined : { verdict: "violated", involved: [at] };
}
