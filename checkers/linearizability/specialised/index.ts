import type { AnySpecification, SpecialisedAlgorithm } from "./algorithm.ts";

export type { Algorithm, Decision, SpecialisedAlgorithm } from "./algorithm.ts";

/** The algorithm for a specification's data type, if it has one. */
export function specialisedFor(_specification: AnySpecification): SpecialisedAlgorithm | undefined {
  return undefined;
}
