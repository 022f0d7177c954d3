import type { AnySpecification, SpecialisedAlgorithm } from "./algorithm.ts";
import { distinctPriorityQueue } from "./priority-queue.ts";
import { distinctQueue } from "./queue.ts";
import { distinctRegister } from "./registers.ts";
import { distinctSet } from "./set.ts";
import { distinctStack } from "./stack.ts";

export type { Algorithm, Decision, SpecialisedAlgorithm } from "./algorithm.ts";

const algorithms: { readonly [dataType: string]: SpecialisedAlgorithm } = {
  register: distinctRegister,
  "cas-register": distinctRegister,
  set: distinctSet,
  queue: distinctQueue,
  stack: distinctStack,
  "priority-queue": distinctPriorityQueue,
};

/** The algorithm for a specification's data type, if it has one. */
export function specialisedFor(specification: AnySpecification): SpecialisedAlgorithm | undefined {
  return specification.dataType === undefined ? undefined : algorithms[specification.dataType];
}
