import type { AnySpecification, SpecialisedAlgorithm } from "./algorithm.ts";
import { distinctPriorityQueue } from "./priority-queue.ts";
import { distinctQueue } from "./queue.ts";
import { distinctRegister } from "./registers.ts";
import { registerByCompletions } from "./register-by-completions.ts";
import { distinctSet } from "./set.ts";
import { distinctStack } from "./stack.ts";
import { unwrittenValue } from "./unwritten.ts";
import type { Decision } from "./algorithm.ts";
import type { TimedOperation } from "../operations.ts";
import type { Json } from "../../../model/light.ts";

export type { Algorithm, Decision, SpecialisedAlgorithm } from "./algorithm.ts";

const algorithms: { readonly [dataType: string]: readonly SpecialisedAlgorithm[] } = {
  register: [distinctRegister, unwrittenValue, registerByCompletions],
  "cas-register": [distinctRegister, unwrittenValue, registerByCompletions],
  set: [distinctSet],
  queue: [distinctQueue],
  stack: [distinctStack],
  "priority-queue": [distinctPriorityQueue],
};

/** What the first algorithm says whose conditions hold; undefined where none applies and the search has to decide. */
export function decideSpecialised(
  specification: AnySpecification,
  operations: readonly TimedOperation[],
): { readonly algorithm: SpecialisedAlgorithm; readonly decision: Decision } | undefined {
  for (const algorithm of algorithms[specification.dataType ?? ""] ?? []) {
    const decision = algorithm.decide(operations, specification.initial as Json);
    if (decision !== undefined) return { algorithm, decision };
  }
  return undefined;
}
