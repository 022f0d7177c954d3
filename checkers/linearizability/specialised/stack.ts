import type { TimedOperation } from "../operations.ts";
import type { SpecialisedAlgorithm } from "./algorithm.ts";
import { Cuts } from "./cuts.ts";
import { LeastTree } from "./least-tree.ts";
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
 * Stacks of distinct values. A value whose push and pop overlap is pushed and popped in one moment. The others were
 * certainly on the stack from the push's return to the pop's call; where no value was, the history falls apart into
 * pieces. In a piece some value must lie at the bottom throughout: one that may be pushed before all others and popped
 * after them. It is taken away, and the rest falls apart again. O(n log n).
 *
 * Removing a value from a linearization leaves one, and putting such a bottom around one makes one, so that it does
 * not matter which bottom is taken.
 *
 * Unanswered pops took, where the history needs it, values that nobody was seen taking.
 */
export const distinctStack: SpecialisedAlgorithm = {
  name: "distinct-values stack",
  source: "Abdulla et al., PLDI 2025 (arXiv 2509.17795); Lee & Mathur, OOPSLA 2025 (arXiv 2410.04581)",
  decide: (operations, initial) => decideContainer(stack, operations, initial),
};

const stack: ContainerKind = {
  put: "push",
  take: "pop",
  arrange: orderOf,
  deadlines,
  // What is popped in the moment in which it is pushed is in nobody's way.
  others: (loose, necessary) =>
    [loose, necessary].flatMap((deadlineOf): Deadlines[] => [
      (value) => (deadlineOf(value) === Infinity ? Infinity : value.b),
      deadlineOf,
    ]),
};

/** An order of the values, or operations that leave none. */
function orderOf(
  values: readonly Value[],
  empties: readonly number[],
  operations: readonly TimedOperation[],
): { readonly order: readonly number[] } | { readonly involved: readonly number[] } {
  const lasting = values.filter(({ b, c }) => b < c);
  const nested = nest(lasting, empties, operations);
  if ("involved" in nested) return nested;
  const momentary = values.filter(({ b, c }) => b >= c);
  return { order: merge(nested.order, momentary, operations) };
}

/** What lay above another is popped before it is. */
function deadlines(
  { values, empties }: Container,
  operations: readonly TimedOperation[],
  isLoose: boolean,
): Deadlines {
  const end = endOf(operations);
  const below = new LeastFrom(end);
  const byReturn = values.filter(({ take }) => take !== undefined).sort((x, y) => x.b - y.b);
  const byCall = values.filter(({ take }) => take === undefined).sort((x, y) => x.a - y.a);
  const emptied = emptinessDeadlines(empties, operations, isLoose);
  const known = new Map<Value, number>();
  let at = 0;
  for (const value of byCall) {
    for (; (byReturn[at]?.b ?? Infinity) < value.a; at++) {
      const { c, d } = byReturn[at] as Value;
      if (c < end) below.add(c, d);
    }
    known.set(value, Math.min(below.least(value.b + 1), emptied(value)));
  }
  return (value) => known.get(value) ?? Infinity;
}

type Task =
  { readonly from: number; readonly to: number } | { readonly emit: number } | { readonly empty: number };

function nest(
  values: readonly Value[],
  empties: readonly number[],
  operations: readonly TimedOperation[],
): { readonly order: readonly number[] } | { readonly involved: readonly number[] } {
  const end = endOf(operations);
  const closing = (value: Value): number => Math.min(value.c, end) - 1;
  const cuts = new Cuts(end);
  const bottoms = new Bottoms(values, end);
  for (const value of values) cuts.add(value.b, closing(value), 1);
  const emptyAt = new Map<number, number[]>();
  for (const empty of empties) {
    const { call, return: returned } = operations[empty] as TimedOperation;
    const cut = cuts.firstFree(call, returned - 1);
    if (cut === -1)
      return { involved: [empty, ...operationsOn(values.filter(({ b, c }) => b < returned && c > call))] };
    emptyAt.set(cut, [...(emptyAt.get(cut) ?? []), empty]);
  }
  const order: number[] = [];
  const tasks: Task[] = pieces(cuts, 0, end - 1, emptyAt);
  for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
    if ("emit" in task) order.push(task.emit);
    else if ("empty" in task) order.push(task.empty);
    else {
      const bottom = bottoms.take(task.from, task.to);
      if (bottom === undefined) {
        const { from, to } = task;
        return {
          involved: operationsOn(
            values.filter((value) => value.b >= from && closing(value) <= to && bottoms.has(value)),
          ),
        };
      }
      cuts.add(bottom.b, closing(bottom), -1);
      order.push(bottom.put);
      if (bottom.take !== undefined) tasks.push({ emit: bottom.take });
      for (const piece of pieces(cuts, task.from, task.to, undefined)) tasks.push(piece);
    }
  }
  return { order };
}

/** The covered stretches of cuts, the last first, so that they can be pushed on a stack of tasks. */
function pieces(
  cuts: Cuts,
  from: number,
  to: number,
  emptyAt: ReadonlyMap<number, readonly number[]> | undefined,
): Task[] {
  const tasks: Task[] = [];
  let begin = from;
  while (begin <= to) {
    const free = cuts.firstFree(begin, to);
    const stop = free === -1 ? to + 1 : free;
    if (stop > begin) tasks.push({ from: begin, to: stop - 1 });
    for (const empty of emptyAt?.get(stop) ?? []) tasks.push({ empty });
    begin = stop + 1;
  }
  return tasks.reverse();
}

/** Finds values that may lie at the bottom of a piece. As pieces shrink, a value that may be pushed first still may. */
class Bottoms {
  readonly #byReturn: (Value | undefined)[];
  readonly #notFirst: LeastTree;
  readonly #notLast: LeastTree;
  readonly #ready: LeastTree;
  readonly #isFirst: Set<Value> = new Set();
  readonly #isLast: Set<Value> = new Set();

  constructor(values: readonly Value[], end: number) {
    this.#byReturn = Array.from({ length: end }, () => undefined);
    this.#notFirst = new LeastTree(end);
    this.#notLast = new LeastTree(end);
    this.#ready = new LeastTree(end);
    for (const value of values) {
      this.#byReturn[value.b] = value;
      this.#notFirst.set(value.b, value.a);
      this.#notLast.set(value.b, -value.d);
    }
  }

  has(value: Value): boolean {
    return this.#byReturn[value.b] === value;
  }

  /** Takes out a value of the piece that can be pushed before, and popped after, all others in it. */
  take(from: number, to: number): Value | undefined {
    this.#collect(this.#notFirst, from, to, from, this.#isFirst, this.#isLast);
    this.#collect(this.#notLast, from, to, -to - 1, this.#isLast, this.#isFirst);
    const at = this.#ready.findBelow(from, to, 1);
    if (at === -1) return undefined;
    this.#ready.set(at, Infinity);
    const value = this.#byReturn[at];
    this.#byReturn[at] = undefined;
    return value;
  }

  #collect(
    tree: LeastTree,
    from: number,
    to: number,
    limit: number,
    into: Set<Value>,
    other: ReadonlySet<Value>,
  ): void {
    for (let at = tree.findBelow(from, to, limit); at !== -1; at = tree.findBelow(from, to, limit)) {
      tree.set(at, Infinity);
      const value = this.#byReturn[at] as Value;
      into.add(value);
      if (other.has(value)) this.#ready.set(at, 0);
    }
  }
}

/** Puts each momentary value between two operations of the order, at the moment of its pop's call. */
function merge(
  order: readonly number[],
  momentary: readonly Value[],
  operations: readonly TimedOperation[],
): number[] {
  const waiting = [...momentary].sort((x, y) => x.c - y.c);
  const merged: number[] = [];
  let time = -1;
  let at = 0;
  for (const operation of order) {
    time = Math.max(time, (operations[operation] as TimedOperation).call);
    for (; at < waiting.length && (waiting[at] as Value).c < time; at++)
      merged.push(...operationsOn([waiting[at] as Value]));
    merged.push(operation);
  }
  for (; at < waiting.length; at++) merged.push(...operationsOn([waiting[at] as Value]));
  return merged;
}
