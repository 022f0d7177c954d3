import type { Json } from "../history.ts";

/** One call as a sequential specification sees it. `result` is undefined when the operation was never answered. */
export interface Call {
  readonly f: string;
  readonly argument: Json;
  readonly result: Json | undefined;
}

export type DataType = "register" | "cas-register" | "set" | "queue" | "stack" | "priority-queue";

/**
 * A sequential specification: what an object does when operations come one at a time.
 *
 * States are immutable values. A checker asks, for a state and a call, which states may follow; none means that
 * the call with that result is impossible there.
 */
export interface SequentialSpecification<State> {
  readonly name: string;
  readonly initial: State;
  /**
   * Says that this is one of the data types that have algorithms of their own, with the calls of
   * `model/sequential/data-types` and `initial` as its value or its elements.
   */
  readonly dataType?: DataType;
  /** The states that may follow. Several where the specification is nondeterministic, empty where impossible. */
  step(state: State, call: Call): readonly State[];
  /** A string that is equal for equal states only. */
  key(state: State): string;
  /** Splits a history into independent objects (P-compositionality); undefined where it can't be split. */
  partition?(call: Call): string | undefined;
  /** True for calls that can never change any state, whatever the state is (not: "did not change it here"). */
  readOnly?(call: Call): boolean;
  /**
   * "total" for calls that are possible in every state, "overwrites" for those of them after which the state does not
   * depend on the one before: whatever total call came just before is then forgotten.
   */
  effect?(call: Call): "total" | "overwrites" | undefined;
  /**
   * A smaller specification that decides the same for a history of exactly these calls (repeated ones given as often),
   * undefined where there is none. It may merge states that these calls can't tell apart, and leave out a step that
   * would make the history impossible, or a step of an unanswered call that helps no other call. It serves only to
   * search faster: what is found is verified against the whole specification.
   */
  restrictedTo?(calls: readonly Call[]): SequentialSpecification<unknown> | undefined;
  /** Why no state at all can know such a call (its name, the form of its argument or result); undefined when one can. */
  refuse?(call: Call): string | undefined;
  /** For people: the state and the call in a few words. */
  describeState?(state: State): string;
  describeCall?(call: Call): string;
}
