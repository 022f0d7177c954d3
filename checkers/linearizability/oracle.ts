import type { SequentialSpecification } from "../../model/light.ts";
import type { TimedOperation } from "./operations.ts";
import { problemOf } from "./problem.ts";
import { Search, type SearchResult } from "./search.ts";
import { decideSpecialised } from "./specialised/index.ts";

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

  /** Whether the operations have no linearization; undefined when the time does not suffice. */
  fails(operations: readonly TimedOperation[]): boolean | undefined {
    return this.failsFrom(operations, this.specification);
  }

  /** The same, starting from each of some states. */
  failsFromAll(operations: readonly TimedOperation[], states: readonly State[]): boolean | undefined {
    for (const state of states) {
      const answer = this.failsFrom(operations, startingAt(this.specification, state));
      if (answer !== true) return answer;
    }
    return true;
  }

  failsFrom(
    operations: readonly TimedOperation[],
    specification: SequentialSpecification<State>,
  ): boolean | undefined {
    if (this.isOutOfTime) return undefined;
    const decision = decideSpecialised(specification, operations)?.decision;
    if (decision !== undefined) return decision.verdict === "violated";
    const { outcome } = this.#search(operations, specification, false).search.result;
    return outcome === "unknown" ? undefined : outcome === "violated";
  }

  /**
   * By number of completions passed, the states in which the object can be then, for operations that fail at their
   * last completion; undefined when the time does not suffice.
   */
  statesByLevel(operations: readonly TimedOperation[]): ReadonlyMap<number, ReadonlySet<State>> | undefined {
    const plain: SequentialSpecification<State> = Object.create(this.specification, {
      restrictedTo: { value: undefined },
    });
    const { search } = this.#search(operations, plain, true);
    if (search.result.outcome !== "violated") return undefined;
    return search.statesByLevel() as ReadonlyMap<number, ReadonlySet<State>>;
  }

  /** Linearizations of what leads up to a completion that can't be explained, as indexes; none when the time ran out. */
  longest(operations: readonly TimedOperation[], earliest: number): readonly (readonly number[])[] {
    const { search, indexes } = this.#search(operations, this.specification, true);
    const { result } = search;
    if (result.outcome === "violated")
      return result.longest.map((order) => order.map((at) => indexes[at] as number));
    const explained = operations.map((operation, at) =>
      at === earliest ? { ...operation, return: Infinity } : operation,
    );
    const decision = decideSpecialised(this.specification, explained)?.decision;
    return decision?.verdict === "holds" ? [decision.order] : [];
  }

  #search(
    operations: readonly TimedOperation[],
    specification: SequentialSpecification<State>,
    exact: boolean,
  ): Searched {
    const { problem, indexes } = problemOf(operations, specification);
    const deadline = Math.min(this.#deadline, performance.now() + oneQuestionMs);
    const search = new Search(problem, exact);
    const result = search.run({ deadline, bytesMax });
    return { search: { result, statesByLevel: () => search.statesByLevel() }, indexes };
  }
}

interface Searched {
  readonly search: {
    readonly result: SearchResult;
    statesByLevel(): ReadonlyMap<number, ReadonlySet<unknown>>;
  };
  readonly indexes: Int32Array;
}

/** The same specification with another initial state. */
export function startingAt<State>(
  specification: SequentialSpecification<State>,
  state: State,
): SequentialSpecification<State> {
  if (state === specification.initial) return specification;
  // What a specification knows of its own initial state no longer fits.
  return Object.create(specification, {
    initial: { value: state },
    restrictedTo: { value: undefined },
    dataType: { value: undefined },
  }) as SequentialSpecification<State>;
}
