import type { Json } from "../../../model/light.ts";
import type { TimedOperation } from "../operations.ts";
import type { Decision, SpecialisedAlgorithm } from "./algorithm.ts";
import { ValueIds } from "./value-ids.ts";

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
  const ids = new ValueIds();
  const firstCall = [-1];
  ids.idOf(initial);
  for (const { f, argument, result, call } of operations) {
    if (f === "read" || result === false) continue;
    const id = ids.idOf(f === "cas" ? ((argument as readonly Json[])[1] as Json) : argument);
    if (id === firstCall.length) firstCall.push(call);
  }
  for (let at = 0; at < operations.length; at++) {
    const { f, result, return: returned } = operations[at] as TimedOperation;
    if (f !== "read" || returned === Infinity) continue;
    const id = ids.find(result as Json);
    if (id === undefined || (firstCall[id] as number) > returned)
      return { verdict: "violated", involved: [at] };
  }
  return undefined;
}
