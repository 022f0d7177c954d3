import type { Json } from "../../model/light.ts";
import type { TimedOperation } from "./operations.ts";

/** Functions that take no argument, so that in a history of one object their value is null. */
const withoutArgument: ReadonlySet<string> = new Set([
  "read",
  "dequeue",
  "pop",
  "delete-min",
  "acquire",
  "release",
]);

/**
 * Splits a history of Jepsen's independent keys (jepsen.independent): each value is a tuple `[key value]`, also of
 * functions that take no argument: `read [key nil]` -> `[key value]`. The operations of each key, with its values only,
 * keys as JSON, in the order in which they are met. Undefined where the history is not of this form; then nothing is
 * known of keys.
 */
export function splitByIndependentKey(
  operations: readonly TimedOperation[],
): ReadonlyMap<string, readonly TimedOperation[]> | undefined {
  const byKey = new Map<string, TimedOperation[]>();
  let isCertain = false;
  for (const operation of operations) {
    const { f, argument, result } = operation;
    if (!isTuple(argument)) return undefined;
    const key = JSON.stringify(argument[0]);
    const answer = isTuple(result) ? result : undefined;
    if (result !== undefined && (answer === undefined || JSON.stringify(answer[0]) !== key)) return undefined;
    isCertain ||= withoutArgument.has(f) && argument[1] === null;
    const own = { ...operation, argument: argument[1] as Json, result: answer?.[1] };
    const others = byKey.get(key);
    if (others === undefined) byKey.set(key, [own]);
    else others.push(own);
  }
  return isCertain ? byKey : undefined;
}

function isTuple(value: Json | undefined): value is readonly [Json, Json] {
  return Array.isArray(value) && value.length === 2;
}
