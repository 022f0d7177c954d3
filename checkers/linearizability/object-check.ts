import type { SequentialSpecification } from "../../model/light.ts";
import type { Outcome } from "../verdict.ts";
import type { TimedOperation } from "./operations.ts";
import { problemOf } from "./problem.ts";
import { Search, type Budget, type SearchResult } from "./search.ts";
import { decideSpecialised, type Algorithm } from "./specialised/index.ts";
import { refuteOrder } from "./verify.ts";

/** What was found out about one object (one key, or the whole history where it can't be split). */
export interface ObjectFinding {
  readonly verdict: Outcome;
  readonly algorithm: Algorithm;
  /** Configurations that the search met; 0 for the other algorithms. */
  readonly configurations: number;
  /** For `holds`: a linearization, as indexes of the object's operations; verified. */
  readonly order?: readonly number[];
  /** For `violated`: the operation whose completion can't be explained, if the algorithm tells. */
  readonly unexplained?: number;
  /** For `violated`: the longest linearizations up to there, as indexes of the object's operations. */
  readonly longest?: readonly (readonly number[])[];
  /** For `violated`: operations among which the contradiction lies, if the algorithm tells. */
  readonly involved?: readonly number[];
  /** For `unknown`: what ran out, and how many of the answered operations were passed. */
  readonly ranOut?: "time" | "memory";
  readonly passed?: number;
}

const searchAlgorithm: Algorithm = {
  name: "search",
  source: "Wing & Gong, JPDC 1993; Lowe, Concurrency & Computation 29, 2017",
};

interface Prepared {
  readonly search: Search;
  /** By operation of the search: its index among the object's. */
  readonly indexes: Int32Array;
}

/** The decision on one object, which can be interrupted and taken up again. */
export class ObjectCheck<State> {
  readonly operations: readonly TimedOperation[];
  readonly specification: SequentialSpecification<State>;
  #prepared: Prepared | undefined;
  #useSpecialised: boolean;

  constructor(
    operations: readonly TimedOperation[],
    specification: SequentialSpecification<State>,
    useSpecialised: boolean,
  ) {
    this.operations = operations;
    this.specification = specification;
    this.#useSpecialised = useSpecialised;
  }

  /** Decides within the budget, else `unknown`; called again, it goes on where it stopped. */
  run(budget: Budget): ObjectFinding {
    if (this.#useSpecialised) {
      this.#useSpecialised = false;
      const finding = this.#specialised();
      if (finding !== undefined) return finding;
    }
    this.#prepared ??= this.#prepare();
    return this.#findingOf(this.#prepared.search.run(budget));
  }

  /** What a specialised algorithm says; undefined where none applies or its linearization does not stand up to the verifier. */
  #specialised(): ObjectFinding | undefined {
    const decided = decideSpecialised(this.specification, this.operations);
    if (decided === undefined) return undefined;
    const { algorithm, decision } = decided;
    if (decision.verdict === "violated") return { ...decision, algorithm, configurations: 0 };
    if (refuteOrder(this.operations, decision.order, this.specification) !== undefined) return undefined;
    return { ...decision, algorithm, configurations: 0 };
  }

  #prepare(): Prepared {
    const { problem, indexes } = problemOf(this.operations, this.specification);
    return { search: new Search(problem), indexes };
  }

  #findingOf(result: SearchResult): ObjectFinding {
    const { indexes, search } = this.#prepared as Prepared;
    const toOriginal = (order: readonly number[]): number[] => order.map((at) => indexes[at] as number);
    const common = { algorithm: searchAlgorithm, configurations: result.configurations };
    if (result.outcome === "holds") {
      const order = toOriginal(result.order);
      const refuted = refuteOrder(this.operations, order, this.specification);
      if (refuted !== undefined)
        throw new Error(`the search for ${this.specification.name} found no linearization: ${refuted}`);
      return { verdict: "holds", order, ...common };
    }
    if (result.outcome === "unknown")
      return { verdict: "unknown", ranOut: result.reason, passed: result.level, ...common };
    const unexplained = indexes[search.returning(result.level)] as number;
    return { verdict: "violated", unexplained, longest: result.longest.map(toOriginal), ...common };
  }
}
