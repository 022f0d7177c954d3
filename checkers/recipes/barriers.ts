import { type Event, type Json, type Operation, pairOperations } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";
import { groupBy } from "./group.ts";
import { lossesOf } from "./losses.ts";

/** Events of a violation that are shown of those who came too late. */
const lateShown = 20;

/**
 * Double barriers: `enter` and `leave` with `value` = the barrier's name or {barrier, size}; nobody has entered before
 * `size` have begun to enter (all processes that the history shows, where no size is given), and nobody has left before
 * all who entered have begun to leave: max(call) <= min(return), for each of the two. O(n log n).
 *
 * A barrier may be used again: by the return number k, as many must have begun as are in the rounds that k returns
 * need, size * ceil(k / size). Nobody waits for those to leave whose `enter` was not answered, or whose process `lost`
 * its session (an event as in `checkLocks`): their znodes may be gone.
 */
export function checkBarriers(events: readonly Event[]): Verdict[] {
  const promise = new PromiseCheck("double-barrier");
  const operations = pairOperations(events).filter(
    ({ f, completion }) => (f === "enter" || f === "leave") && completion?.type !== "fail",
  );
  const lost = lossesOf(events);
  const barriers = groupBy(operations, ({ invocation }) => nameOf(invocation.value));
  for (const [name, group] of barriers) {
    const entering = group.filter(({ f }) => f === "enter");
    const leaving = group.filter(({ f }) => f === "leave");
    const gone = entering.filter(
      ({ process, completion }) =>
        completion?.type !== "ok" || lost.has(process) || lost.has(completion.session ?? process),
    ).length;
    const size = sizeOf(entering.length > 0 ? entering : leaving);
    sweep(`enter ${name}`, entering, size, 0, promise);
    sweep(`leave ${name}`, leaving, size, gone, promise);
  }
  return [promise.verdict("nobody is through a barrier before all are there", "barriers")];
}

/** Operations in the order of their calls; `gone` are participants who need not have begun. */
function sweep(
  key: string,
  operations: readonly Operation[],
  { size, doubt }: Size,
  gone: number,
  promise: PromiseCheck,
): void {
  const returned = operations.filter(({ completion }) => completion?.type === "ok");
  if (returned.length === 0) return;
  promise.checked();
  returned.sort((a, b) => indexOf(a) - indexOf(b));
  let begun = 0;
  for (const [at, operation] of returned.entries()) {
    const completion = operation.completion as Event;
    const isBegun = (other: Operation | undefined): boolean =>
      other !== undefined && other.invocation.index < completion.index;
    while (isBegun(operations[begun])) begun++;
    const needed = size * Math.ceil((at + 1) / size);
    if (begun + gone >= needed) continue;
    const what = `process ${operation.process} is through ${key} at event ${completion.index}`;
    const late = operations.slice(begun, begun + lateShown).map(({ invocation }) => invocation);
    promise.broken(
      `${what}, when ${begun} of ${needed} had begun`,
      completion,
      [operation.invocation, ...late],
      doubt,
    );
    return;
  }
}

function indexOf({ completion }: Operation): number {
  return completion?.index ?? Infinity;
}

function nameOf(value: Json): string {
  const fields = value as { readonly barrier?: Json } | null;
  return typeof fields === "object" && fields !== null
    ? JSON.stringify(fields.barrier ?? null)
    : JSON.stringify(value);
}

interface Size {
  readonly size: number;
  /** Why it may be another one. */
  readonly doubt: string | undefined;
}

/** The least size that is told; else the number of processes, which is sure only where the barrier was used once. */
function sizeOf(operations: readonly Operation[]): Size {
  let told = Infinity;
  const processes = new Set<number | string>();
  for (const { process, invocation } of operations) {
    processes.add(process);
    const size = (invocation.value as { readonly size?: Json } | null)?.size;
    if (typeof size === "number" && size >= 1 && size < told) told = size;
  }
  if (told !== Infinity) return { size: told, doubt: undefined };
  const isUsedAgain = processes.size < operations.length;
  const doubt = isUsedAgain ? "the barrier was used again, and no size is told" : undefined;
  return { size: processes.size, doubt };
}
