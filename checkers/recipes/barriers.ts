import { type Event, type Json, type Operation, pairOperations } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";
import { groupBy } from "./group.ts";

/**
 * Double barriers: `enter` and `leave` with `value` = the barrier's name or {barrier, size}; nobody has entered before
 * `size` have begun to enter (all that the history shows, where no size is given), and nobody has left before all who
 * entered have begun to leave: max(call) <= min(return), for each of the two. O(n).
 */
export function checkBarriers(events: readonly Event[]): Verdict[] {
  const promise = new PromiseCheck("double-barrier");
  const operations = pairOperations(events).filter(({ f }) => f === "enter" || f === "leave");
  const groups = groupBy(operations, ({ f, invocation }) => `${f} ${nameOf(invocation.value)}`);
  for (const [key, group] of groups) {
    const size = sizeOf(group[0]?.invocation.value ?? null) ?? group.length;
    const returned = group.filter(({ completion }) => completion?.type === "ok");
    const first = least(returned, ({ completion }) => completion?.index ?? Infinity);
    if (first?.completion === undefined) continue;
    promise.checked();
    const { index } = first.completion;
    const begun = group.filter(({ invocation }) => invocation.index < index);
    if (begun.length >= size) continue;
    const what = `process ${first.process} is through ${key} at event ${index}`;
    const late = group
      .filter(({ invocation }) => invocation.index > index)
      .map(({ invocation }) => invocation);
    promise.broken(`${what}, when ${begun.length} of ${size} had begun`, first.completion, [
      first.invocation,
      ...late,
    ]);
  }
  return [promise.verdict("nobody is through a barrier before all are there", "barriers")];
}

function least(
  operations: readonly Operation[],
  by: (operation: Operation) => number,
): Operation | undefined {
  let found: Operation | undefined;
  for (const operation of operations) if (found === undefined || by(operation) < by(found)) found = operation;
  return found;
}

function nameOf(value: Json): string {
  const fields = value as { readonly barrier?: Json } | null;
  return typeof fields === "object" && fields !== null
    ? JSON.stringify(fields.barrier ?? null)
    : JSON.stringify(value);
}

function sizeOf(value: Json): number | undefined {
  const size =
    typeof value === "object" && value !== null ? (value as { readonly size?: Json }).size : undefined;
  return typeof size === "number" ? size : undefined;
}

/**
 * Group membership: `join m`, `leave m`, `members` -> list. A list holds nobody who had not begun to join, and nobody
 * whose leaving was acknowledged before the list of a session that saw it. Lists may be stale: members who had joined
 * before the read began and are missing are counted as stale, and told.
 */
export function checkMembership(events: readonly Event[]): Verdict[] {
  const promise = new PromiseCheck("membership");
  const operations = pairOperations(events);
  const joins = groupBy(
    operations.filter(({ f, completion }) => f === "join" && completion?.type !== "fail"),
    ({ invocation }) => JSON.stringify(invocation.value),
  );
  const leaves = groupBy(
    operations.filter(({ f, completion }) => f === "leave" && completion?.type !== "fail"),
    ({ invocation }) => JSON.stringify(invocation.value),
  );
  for (const { f, invocation, completion } of operations) {
    if (f !== "members" || completion?.type !== "ok" || !Array.isArray(completion.value)) continue;
    promise.checked();
    const listed = new Set((completion.value as readonly Json[]).map((member) => JSON.stringify(member)));
    for (const member of listed) {
      const joined = joins.get(member)?.some((join) => join.invocation.index < completion.index) ?? false;
      if (!joined)
        promise.broken(`${member} is listed as a member and had not begun to join`, completion, [invocation]);
    }
    for (const [member, [join]] of joins) {
      const there = join?.completion?.type === "ok" && join.completion.index < invocation.index;
      const left = leaves.get(member)?.some((leave) => leave.invocation.index < completion.index) ?? false;
      if (there && !left && !listed.has(member)) promise.count("members missing from stale lists");
    }
  }
  return [promise.verdict("lists hold nobody who had not begun to join", "lists")];
}
