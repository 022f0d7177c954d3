import type { Json } from "../../../model/light.ts";
import type { TimedOperation } from "../operations.ts";

/** What happened to one value of a container: put in during [a, b], taken out during [c, d], by these operations. */
export interface Value {
  readonly value: Json;
  readonly put: number;
  /** Undefined when nobody took it. */
  readonly take: number | undefined;
  readonly a: number;
  /** Not after the take's return, as it was put in before. */
  readonly b: number;
  /** Not before the put's call. Infinity when nobody took it. */
  readonly c: number;
  readonly d: number;
}

export interface Container {
  readonly values: readonly Value[];
  /** Operations that found it empty. */
  readonly empties: readonly number[];
  /** Takings that were not answered, in the order of their calls: each may have taken any value that is left. */
  readonly openTakes: readonly number[];
}

/** Operations that contradict each other, or undefined where two values are equal. */
export type Contents = Container | { readonly involved: readonly number[] } | undefined;

/**
 * Sorts the operations of a container of distinct values by value. An unanswered put happened when, and only when, its
 * value was taken. An unanswered take that knows its answer (in a part of a longer history) took it when its value was
 * put in, at any later time; that is as if nobody did.
 */
export function contentsOf(
  operations: readonly TimedOperation[],
  putName: string,
  takeName: string,
): Contents {
  const puts = new Map<string, number>();
  const takes = new Map<string, number>();
  const empties: number[] = [];
  const openTakes: number[] = [];
  for (let at = 0; at < operations.length; at++) {
    const { f, argument, result, return: end } = operations[at] as TimedOperation;
    const by = f === putName ? puts : f === takeName ? takes : undefined;
    if (by === undefined) return undefined;
    if (f === takeName && result === undefined) {
      openTakes.push(at);
      continue;
    }
    if (f === takeName && result === null) {
      if (end !== Infinity) empties.push(at);
      continue;
    }
    const key = JSON.stringify(f === putName ? argument : result);
    if (key === "null") return undefined;
    const other = by.get(key);
    if (other !== undefined) {
      if (f === putName) return undefined;
      // Twice taken; whoever did not finish need not have.
      if (end === Infinity || operations[other]?.return === Infinity) return undefined;
      const put = puts.get(key);
      // A second put may come later in the history: then the values are not distinct.
      if (operations.filter((each) => each.f === putName && JSON.stringify(each.argument) === key).length > 1)
        return undefined;
      return { involved: put === undefined ? [other, at] : [put, other, at] };
    }
    by.set(key, at);
  }
  for (const [key, take] of takes) {
    if (puts.has(key)) continue;
    if (operations[take]?.return !== Infinity) return { involved: [take] };
  }
  const values: Value[] = [];
  for (const [key, put] of puts) {
    const take = takes.get(key);
    const putting = operations[put] as TimedOperation;
    const taking = take === undefined ? undefined : (operations[take] as TimedOperation);
    const isTaken = taking !== undefined && taking.return !== Infinity;
    if (putting.return === Infinity && !isTaken) continue;
    const d = taking?.return ?? Infinity;
    if (d < putting.call) return { involved: [put, take as number] };
    values.push({
      value: putting.argument,
      put,
      take,
      a: putting.call,
      b: Math.min(putting.return, d),
      c: taking === undefined ? Infinity : Math.max(taking.call, putting.call),
      d,
    });
  }
  return { values, empties, openTakes };
}

/** The operations of values. */
export function operationsOn(values: Iterable<Value>): number[] {
  return [...values].flatMap(({ put, take }) => (take === undefined ? [put] : [put, take]));
}
