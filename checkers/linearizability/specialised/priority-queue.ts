import { compareValues } from "../../../model/light.ts";
import type { TimedOperation } from "../operations.ts";
import type { SpecialisedAlgorithm } from "./algorithm.ts";
import { Cuts } from "./cuts.ts";
import {
  type ContainerKind,
  decideContainer,
  type Deadlines,
  emptinessDeadlines,
  endOf,
  LeastFrom,
} from "./open-takes.ts";
import { operationsOn, type Container, type Value } from "./values.ts";

/**
 * Priority queues of distinct values. A value can be deleted only when no smaller one is in the queue: at a moment
 * that no smaller value covers from its insertion's return to its deletion's call. If there is such a moment for each
 * value, and for each time that the queue was found empty, then the history can be put in order. O(n log n).
 *
 * For, by induction from the smallest value: cut what is smaller at that moment, each part keeps its order; the larger
 * value is inserted anywhere before, as it delays no smaller one.
 *
 * Unanswered deletions took, where the history needs it, values that nobody was seen taking.
 */
export const distinctPriorityQueue: SpecialisedAlgorithm = {
  name: "distinct-values priority queue",
  source: "after Lee & Mathur, OOPSLA 2025 (arXiv 2410.04581), priority queues",
  decide: (operations, initial) => decideContainer(priorityQueue, operations, initial),
};

const priorityQueue: ContainerKind = {
  put: "insert",
  take: "delete-min",
  // An unanswered deletion, known only by its answer in a longer history, is left to the search.
  canTell: ({ values }) => !values.some(({ take, d }) => take !== undefined && d === Infinity),
  arrange: orderOf,
  deadlines,
};

/** An order of the values, or operations that leave none. */
function orderOf(
  unsorted: readonly Value[],
  empties: readonly number[],
  operations: readonly TimedOperation[],
): { readonly order: readonly number[] } | { readonly involved: readonly number[] } {
  const values = [...unsorted].sort((x, y) => compareValues(x.value, y.value));
  const timeline = new Timeline(operations);
  const involved = timeline.cover(values) ?? timeline.coverEmpties(empties, values);
  return involved === undefined ? { order: timeline.arrange(values) } : { involved };
}

/** Whatever is deleted, what is smaller was in the queue no longer. */
function deadlines(
  { values, empties }: Container,
  operations: readonly TimedOperation[],
  isLoose: boolean,
): Deadlines {
  const larger = new LeastFrom(endOf(operations));
  const emptied = emptinessDeadlines(empties, operations, isLoose);
  const known = new Map<Value, number>();
  for (const value of [...values].sort((x, y) => compareValues(y.value, x.value))) {
    if (value.take !== undefined) larger.add(isLoose ? value.d : value.c, value.d);
    else known.set(value, Math.min(larger.least(isLoose ? value.b + 1 : value.b), emptied(value)));
  }
  return (value) => known.get(value) ?? Infinity;
}

/** What comes at a cut: first whole stays and deletions, then findings of emptiness, then insertions. */
type Point = readonly [cut: number, phase: number, operations: readonly number[]];

class Timeline {
  readonly #operations: readonly TimedOperation[];
  readonly #end: number;
  readonly #cuts: Cuts;
  /** Cuts at which something larger was deleted or the queue was found empty, ascending. */
  readonly #chosen: number[] = [];
  readonly #points: Point[] = [];

  constructor(operations: readonly TimedOperation[]) {
    this.#operations = operations;
    this.#end = endOf(operations);
    this.#cuts = new Cuts(this.#end);
  }

  /** Covers the cuts by values, ascending; the operations of one that has no moment left and of what covers it. */
  cover(values: readonly Value[]): number[] | undefined {
    for (let at = 0; at < values.length; at++) {
      const value = values[at] as Value;
      if (value.take !== undefined && this.#cuts.firstFree(value.c, value.d - 1) === -1) {
        const smaller = values.slice(0, at).filter(({ b, c }) => b < c && b < value.d && c > value.c);
        return operationsOn([value, ...smaller]);
      }
      this.#add(value, 1);
    }
    return undefined;
  }

  coverEmpties(empties: readonly number[], values: readonly Value[]): number[] | undefined {
    for (const empty of empties) {
      const { call, return: returned } = this.#operations[empty] as TimedOperation;
      const cut = this.#cuts.firstFree(call, returned - 1);
      if (cut === -1)
        return [empty, ...operationsOn(values.filter(({ b, c }) => b < c && b < returned && c > call))];
      this.#choose(cut);
      this.#points.push([cut, 1, [empty]]);
    }
    return undefined;
  }

  /** A linearization, from the largest value to the smallest. */
  arrange(values: readonly Value[]): number[] {
    const deletions = new Map<Point, Value>();
    for (let at = values.length - 1; at >= 0; at--) {
      const value = values[at] as Value;
      this.#add(value, -1);
      if (value.take === undefined) {
        this.#points.push([value.b - 1, 2, [value.put]]);
        continue;
      }
      const inside = this.#chosenFrom(value.c);
      if (inside < value.b && value.b > value.c) {
        this.#pushDeletion([inside, 0, [value.put, value.take]], value, deletions);
        continue;
      }
      const right = this.#chosenFrom(Math.max(value.b, value.c));
      const cut = this.#cuts.firstFree(value.c, Math.min(value.d - 1, right));
      const put = Math.min(value.b - 1, cut);
      if (put === cut) this.#pushDeletion([cut, 0, [value.put, value.take]], value, deletions);
      else {
        this.#points.push([put, 2, [value.put]]);
        this.#pushDeletion([cut, 0, [value.take]], value, deletions);
      }
      this.#choose(cut);
    }
    const rank = new Map(values.map((value, at) => [value, at]));
    const rankOf = (point: Point): number => rank.get(deletions.get(point) as Value) ?? 0;
    this.#points.sort((x, y) => x[0] - y[0] || x[1] - y[1] || rankOf(x) - rankOf(y));
    return this.#points.flatMap(([, , operations]) => operations);
  }

  #pushDeletion(point: Point, value: Value, deletions: Map<Point, Value>): void {
    this.#points.push(point);
    deletions.set(point, value);
  }

  #add(value: Value, amount: number): void {
    this.#cuts.add(value.b, Math.min(value.c, this.#end) - 1, amount);
  }

  #position(cut: number): number {
    let low = 0;
    let high = this.#chosen.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chosen[middle] as number) < cut) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #choose(cut: number): void {
    const at = this.#position(cut);
    if (this.#chosen[at] !== cut) this.#chosen.splice(at, 0, cut);
  }

  /** The first chosen cut from this one on; Infinity if there is none. */
  #chosenFrom(cut: number): number {
    return this.#chosen[this.#position(cut)] ?? Infinity;
  }
}
