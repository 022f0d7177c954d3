import type { TimedOperation } from "../operations.ts";
import type { SpecialisedAlgorithm } from "./algorithm.ts";
import { Cuts } from "./cuts.ts";
import {
  type Arranged,
  decideContainer,
  type Deadlines,
  emptinessDeadlines,
  endOf,
  LeastFrom,
} from "./open-takes.ts";
import { operationsOn, type Container, type Value } from "./values.ts";

/**
 * Queues of distinct values. A history fails when a value comes out unput or twice, when two values come out in the
 * wrong order, or when the queue was found empty while at each moment some value was certainly in it. O(n log n).
 *
 * Where the queue was found empty, the history is cut; within the pieces, values are put in order by repeatedly taking
 * one that may go before all others. The linearization is verified, so the completeness of these four patterns is not
 * relied on for `holds`; each pattern by itself is a violation.
 *
 * Unanswered dequeues took, where the history needs it, values that nobody was seen taking.
 */
export const distinctQueue: SpecialisedAlgorithm = {
  name: "distinct-values queue",
  source:
    "Henzinger, Sezgin & Vafeiadis, CONCUR 2013 (the patterns); Abdulla et al., PLDI 2025 (arXiv 2509.17795)",
  decide: (operations, initial) =>
    decideContainer({ put: "enqueue", take: "dequeue", arrange: orderOf, deadlines }, operations, initial),
};

/** An order of the values, or operations that leave none; undefined where it can't be told. */
function orderOf(
  all: readonly Value[],
  empties: readonly number[],
  operations: readonly TimedOperation[],
): Arranged {
  const values = withoutIdleTakes(all, operations);
  const involved = wrongOrder(values);
  if (involved !== undefined) return { involved };
  const cuts = emptyCuts(values, empties, operations);
  if ("involved" in cuts) return cuts;
  const order = arrange(values, cuts);
  return order && { order };
}

/** What went in certainly before another came out no later. */
function deadlines(
  { values, empties }: Container,
  operations: readonly TimedOperation[],
  isLoose: boolean,
): Deadlines {
  const later = new LeastFrom(endOf(operations));
  for (const { a, take, d } of values) if (take !== undefined) later.add(a, d);
  const emptied = emptinessDeadlines(empties, operations, isLoose);
  return (value) => Math.min(later.least(value.b + 1), emptied(value));
}

/** An unanswered taking of a value behind one that stays can't have happened. */
function withoutIdleTakes(values: readonly Value[], operations: readonly TimedOperation[]): Value[] {
  const isIdle = (value: Value): boolean =>
    value.take !== undefined && operations[value.take]?.return === Infinity;
  const staying = values
    .filter(({ take }) => take === undefined)
    .reduce((least, { b }) => Math.min(least, b), Infinity);
  return values.map((value) =>
    isIdle(value) && staying < value.a ? { ...value, take: undefined, c: Infinity } : value,
  );
}

/** Two values of which one went in first and came out last, or not at all. */
function wrongOrder(values: readonly Value[]): readonly number[] | undefined {
  const byCall = [...values].sort((x, y) => x.a - y.a);
  const byReturn = [...values].sort((x, y) => x.b - y.b);
  let latest: Value | undefined;
  let at = 0;
  for (const value of byCall) {
    for (; (byReturn[at]?.b ?? Infinity) < value.a; at++) {
      const earlier = byReturn[at] as Value;
      if (latest === undefined || earlier.c > latest.c) latest = earlier;
    }
    if (latest !== undefined && value.d < latest.c) return operationsOn([latest, value]);
  }
  return undefined;
}

interface Cut {
  readonly at: number;
  readonly empty: number;
}

/** For each time that the queue was found empty, a moment at which no value was certainly in it. */
function emptyCuts(
  values: readonly Value[],
  empties: readonly number[],
  operations: readonly TimedOperation[],
): readonly Cut[] | { readonly involved: readonly number[] } {
  if (empties.length === 0) return [];
  const end = endOf(operations);
  const cuts = new Cuts(end);
  for (const { b, c } of values) cuts.add(b, Math.min(c, end) - 1, 1);
  const result: Cut[] = [];
  for (const empty of empties) {
    const { call, return: returned } = operations[empty] as TimedOperation;
    const at = cuts.firstFree(call, returned - 1);
    if (at === -1)
      return {
        involved: [empty, ...operationsOn(values.filter(({ b, c }) => b < returned && c > call && b < c))],
      };
    result.push({ at, empty });
  }
  return result.sort((x, y) => x.at - y.at);
}

function arrange(values: readonly Value[], cuts: readonly Cut[]): number[] | undefined {
  const segments: Value[][] = Array.from({ length: cuts.length + 1 }, () => []);
  const atCut: Value[][] = cuts.map(() => []);
  for (const value of values) {
    // The first cut that the value need not be after: it is before it, or, if it need not be, in the very cut.
    const at = countBelow(cuts, Math.min(value.b, value.c));
    const cut = cuts[at];
    if (cut !== undefined && cut.at >= value.c && cut.at < value.b) (atCut[at] as Value[]).push(value);
    else (segments[at] as Value[]).push(value);
  }
  const order: number[] = [];
  for (let i = 0; i < segments.length; i++) {
    const inOrder = firstInFirstOut(segments[i] as Value[]);
    if (inOrder === undefined) return undefined;
    for (const operation of inOrder) order.push(operation);
    for (const value of atCut[i] ?? []) order.push(...operationsOn([value]));
    const cut = cuts[i];
    if (cut !== undefined) order.push(cut.empty);
  }
  return order;
}

function countBelow(cuts: readonly Cut[], rank: number): number {
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cuts[middle] as Cut).at < rank) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Values one after the other, each of which may be put and taken before all that follow. */
function firstInFirstOut(values: readonly Value[]): number[] | undefined {
  const by = (rank: (value: Value) => number): Value[] => [...values].sort((x, y) => rank(x) - rank(y));
  const [byA, byB, byC, byD] = [by(({ a }) => a), by(({ b }) => b), by(({ c }) => c), by(({ d }) => d)];
  const gone = new Set<Value>();
  const half = new Set<Value>();
  const ready: Value[] = [];
  let [a, b, c, d] = [0, 0, 0, 0];
  const eligible = (value: Value): void => {
    if (half.delete(value)) ready.push(value);
    else half.add(value);
  };
  const points: [time: number, operation: number][] = [];
  let [putTime, takeTime] = [-1, -1];
  while (gone.size < values.length) {
    while (b < byB.length && gone.has(byB[b] as Value)) b++;
    while (d < byD.length && gone.has(byD[d] as Value)) d++;
    while (a < byA.length && (byA[a] as Value).a <= (byB[b] as Value).b) eligible(byA[a++] as Value);
    while (c < byC.length && (byC[c] as Value).c <= (byD[d] as Value).d) eligible(byC[c++] as Value);
    const next = ready.pop();
    if (next === undefined) return undefined;
    gone.add(next);
    putTime = Math.max(putTime, next.a);
    points.push([putTime, next.put]);
    if (next.take === undefined) continue;
    takeTime = Math.max(takeTime, next.c, putTime);
    points.push([takeTime, next.take]);
  }
  return points.sort((x, y) => x[0] - y[0]).map(([, operation]) => operation);
}
