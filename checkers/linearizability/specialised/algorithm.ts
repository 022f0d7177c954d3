import type { Json, SequentialSpecification } from "../../../model/light.ts";
import type { TimedOperation } from "../operations.ts";

/** How an object was judged: what a verdict says of it. */
export interface Algorithm {
  readonly name: string;
  /** Where the algorithm comes from. */
  readonly source: string;
}

export type Decision =
  | {
      readonly verdict: "holds";
      /** A linearization, as indexes of the operations. */ readonly order: readonly number[];
    }
  | {
      readonly verdict: "violated";
      /** Operations that contradict each other by themselves. */
      readonly involved?: readonly number[];
      /** The operation whose completion can't be explained; perhaps one before it can't either. */
      readonly unexplained?: number;
    };

/**
 * An algorithm for one data type. It answers undefined where its conditions do not hold (two equal values, an
 * unanswered operation that it can't account for): then the search has to decide.
 */
export interface SpecialisedAlgorithm extends Algorithm {
  decide(operations: readonly TimedOperation[], initial: Json): Decision | undefined;
}

export type AnySpecification = Pick<SequentialSpecification<unknown>, "dataType" | "initial">;
