import type { Json, SequentialSpecification } from "../../model/index.ts";
import type { TimedOperation } from "./operations.ts";
import { problemOf } from "./problem.ts";
import { Search, type SearchResult } from "./search.ts";
import { specialisedFor } from "./specialised/index.ts";

const oneQuestionMs = 400;
const bytesMax = 2 ** 28;

/**
 * The operations that began before `end`; those that had not returned by then keep their answer but may as well not
 * have happened. Indexes stay the same.
 */
export function upTo(operations: readonly TimedOperation[], end: number): TimedOperation[] {
  const before: TimedOperation[] = [];
  for (const operation of operations) {
    if (operation.call >= end) break;
    before.push(operation.return <= end ? operation : { ...operation, return: Infinity });
  }
  return before;
}

/** Answers questions about parts of one history while an explanation is worked out, within a time. */
export class Oracle<State> {
  readonly specification: SequentialSpecification<State>;
  readonly #deadline: number;

  constructor(specification: SequentialSpecification<State>, deadline: number) {
    this.specification = specification;
    this.#deadline = deadline;
  }

  get isOutOfTime(): boolean {
    return performance.now() >= this.#deadline;
  }

  /** Whether the operations certainly have no linearization; false also when the time does not suffice. */
  fails(operations: readonly TimedOperation[]): boolean {
    const decision = specialisedFor(this.specification)?.decide(
      operations,
      this.specification.initial as Json,
    );
    return decision === undefined
      ? this.#search(operations).result.outcome === "violated"
      : decision.verdict === "violated";
  }

  /** Linearizations of what leads up to a completion that can't be explained, as indexes; none when the time ran out. */
  longest(operations: readonly TimedOperation[], earliest: number): readonly (readonly number[])[] {
    const { result, indexes } = this.#search(operations, true);
    if (result.outcome === "violated")
      return result.longest.map((order) => order.map((at) => indexes[at] as number));
    const explained = operations.map((operation, at) =>
      at === earliest ? { ...operation, return: Infinity } : operation,
    );
    const decision = specialisedFor(this.specification)?.decide(
      explained,
      this.specification.initial as Json,
    );
    return decision?.verdict === "holds" ? [decision.order] : [];
  }

  #search(
    operations: readonly TimedOperation[],
    exact: boolean = false,
  ): {
    readonly result: SearchResult;
    readonly indexes: Int32Array;
  } {
    const { problem, indexes } = problemOf(operations, this.specification);
    const deadline = Math.min(this.#deadline, performance.now() + oneQuestionMs);
    return { result: new Search(problem, exact).run({ deadline, bytesMax }), indexes };
  }
}
