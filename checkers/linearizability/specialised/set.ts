import type { Json } from "../../../model/light.ts";
import type { TimedOperation } from "../operations.ts";
import type { Decision, SpecialisedAlgorithm } from "./algorithm.ts";

/**
 * One element of a set, added and removed at most once: the addition is put as late and the removal as early as the
 * lookups that found it allow, which is best for the lookups that did not. O(n), or O(n log n) with the order.
 */
export const distinctSet: SpecialisedAlgorithm = {
  name: "set, added once",
  source: "after Lee & Mathur, OOPSLA 2025 (arXiv 2410.04581), sets",
  decide: decideElement,
};

interface Parts {
  readonly add: number | undefined;
  readonly remove: number | undefined;
  readonly found: readonly number[];
  readonly missed: readonly number[];
}

function decideElement(operations: readonly TimedOperation[], initial: Json): Decision | undefined {
  const parts = (initial as readonly Json[]).length > 0 ? undefined : partsOf(operations);
  if (parts === undefined) return undefined;
  const { add, remove, found, missed } = parts;
  if (add === undefined) {
    const impossible =
      found[0] ?? (remove !== undefined && isAnswered(operations, remove) ? remove : undefined);
    if (impossible !== undefined) return { verdict: "violated", involved: [impossible] };
    return { verdict: "holds", order: byPoint(missed.map((at) => [callOf(operations, at), 0, at])) };
  }
  const earliest = (a: number, b: number): number =>
    returnOf(operations, b) < returnOf(operations, a) ? b : a;
  const latest = (a: number, b: number): number => (callOf(operations, b) > callOf(operations, a) ? b : a);
  const needsAdd = found.reduce(earliest, add);
  if (returnOf(operations, needsAdd) < callOf(operations, add))
    return { verdict: "violated", involved: [add, needsAdd] };
  let added = returnOf(operations, needsAdd);
  if (remove === undefined) return withoutRemove(operations, parts, add, needsAdd, added);
  const needsRemove = found.reduce(latest, remove);
  let removed = callOf(operations, needsRemove);
  if (returnOf(operations, remove) < removed)
    return { verdict: "violated", involved: [add, remove, needsRemove] };
  if (returnOf(operations, remove) < callOf(operations, add))
    return { verdict: "violated", involved: [add, remove] };
  if (added > removed) added = removed = Math.max(removed, callOf(operations, add));
  const caught = missed.find((at) => callOf(operations, at) > added && returnOf(operations, at) < removed);
  if (caught !== undefined)
    return { verdict: "violated", involved: [add, remove, needsAdd, needsRemove, caught] };
  return arranged(operations, parts, added, removed);
}

function withoutRemove(
  operations: readonly TimedOperation[],
  parts: Parts,
  add: number,
  needsAdd: number,
  added: number,
): Decision {
  const caught = parts.missed.find((at) => callOf(operations, at) > added);
  if (caught !== undefined) return { verdict: "violated", involved: [add, needsAdd, caught] };
  return arranged(operations, parts, added, Infinity);
}

function arranged(
  operations: readonly TimedOperation[],
  parts: Parts,
  added: number,
  removed: number,
): Decision {
  const points: [number, number, number][] = [[added, 1, parts.add as number]];
  if (parts.remove !== undefined) points.push([removed, 3, parts.remove]);
  for (const at of parts.found) points.push([Math.max(callOf(operations, at), added), 2, at]);
  for (const at of parts.missed) {
    const call = callOf(operations, at);
    points.push(call <= added ? [call, 0, at] : [Math.max(call, removed), 4, at]);
  }
  return { verdict: "holds", order: byPoint(points) };
}

/** Undefined where the element may have been added or removed twice, or an answer leaves open whether it was. */
function partsOf(operations: readonly TimedOperation[]): Parts | undefined {
  let add: number | undefined;
  let remove: number | undefined;
  const found: number[] = [];
  const missed: number[] = [];
  const element = JSON.stringify(operations[0]?.argument ?? null);
  for (let at = 0; at < operations.length; at++) {
    const { f, result, argument } = operations[at] as TimedOperation;
    if (f === "read" || JSON.stringify(argument) !== element) return undefined;
    if (f === "contains") {
      if (isAnswered(operations, at)) (result === true ? found : missed).push(at);
    } else if (f === "add") {
      if (add !== undefined || result === false) return undefined;
      add = at;
    } else {
      if (remove !== undefined || (result !== true && isAnswered(operations, at))) return undefined;
      remove = at;
    }
  }
  if (add !== undefined && !isAnswered(operations, add)) {
    // An unanswered addition that nobody noticed may as well not have happened.
    if (found.length === 0 && (remove === undefined || !isAnswered(operations, remove)))
      return { add: undefined, remove: undefined, found, missed };
  }
  return { add, remove, found, missed };
}

const callOf = (operations: readonly TimedOperation[], at: number): number =>
  (operations[at] as TimedOperation).call;
const returnOf = (operations: readonly TimedOperation[], at: number): number =>
  (operations[at] as TimedOperation).return;
const isAnswered = (operations: readonly TimedOperation[], at: number): boolean =>
  returnOf(operations, at) !== Infinity;

function byPoint(points: readonly (readonly [point: number, rank: number, operation: number])[]): number[] {
  return [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , operation]) => operation);
}
