import { type Event, type Json, type Operation, pairOperations } from "../../model/index.ts";
import { LeastHeap } from "../least-heap.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";
import { groupBy } from "./group.ts";
import { lossesOf } from "./losses.ts";
import { signsOfLife } from "./signs-of-life.ts";

/** Events of a violation that are shown of those who came too late. */
const lateShown = 20;

/**
 * Double barriers: `enter` and `leave` with `value` = the barrier's name or {barrier, size}; nobody has entered before
 * `size` have begun to enter (all processes that the history shows, where no size is given), and nobody has left before
 * all who entered have begun to leave: max(call) <= min(return), for each of the two. O(n log n).
 *
 * A barrier may be used again. Then the operations are dealt out to rounds: whenever one returns that is in no round yet,
 * it makes one with those who have begun and return first, as all others could take the places of these later on.
 * Nobody waits for those to leave whose `enter` was not answered, or whose process `lost` its session (an event as in
 * `checkLocks`): their znodes may be gone. Nor for those whose session (evidence of the `leave` that they invoked) showed
 * no life any more: who has lost its session has lost its place, and cannot know.
 */
export function checkBarriers(events: readonly Event[]): Verdict[] {
  const promise = new PromiseCheck("double-barrier");
  const operations = pairOperations(events).filter(
    ({ f, completion }) => (f === "enter" || f === "leave") && completion?.type !== "fail",
  );
  const lost = lossesOf(events);
  const isTold = operations.some(({ f, invocation }) => f === "leave" && invocation.session !== undefined);
  const alive = isTold ? signsOfLife(events) : new Map<string, number>();
  /** Whether it began to leave when its session may have been over already, seen from an event before. */
  const mayBeGone = ({ f, invocation: { session } }: Operation, index: number): boolean =>
    f === "leave" && session !== undefined && (alive.get(session) ?? -1) <= index;
  const barriers = groupBy(operations, ({ invocation }) => nameOf(invocation.value));
  for (const [name, group] of barriers) {
    const entering = group.filter(({ f }) => f === "enter");
    const leaving = group.filter(({ f }) => f === "leave");
    const gone = entering.filter(
      ({ process, completion }) =>
        completion?.type !== "ok" || lost.has(process) || lost.has(completion.session ?? process),
    ).length;
    const size = sizeOf(entering.length > 0 ? entering : leaving);
    deal(`enter ${name}`, entering, size, 0, mayBeGone, promise);
    deal(`leave ${name}`, leaving, size, gone, mayBeGone, promise);
  }
  return [promise.verdict("nobody is through a barrier before all are there", "barriers")];
}

/** Operations in the order of their calls; `gone` are participants who need not have begun, as those who `mayBeGone`. */
function deal(
  key: string,
  operations: readonly Operation[],
  { size, doubt }: Size,
  gone: number,
  mayBeGone: (operation: Operation, index: number) => boolean,
  promise: PromiseCheck,
): void {
  const returned = operations.filter(({ completion }) => completion?.type === "ok");
  if (returned.length === 0) return;
  promise.checked();
  returned.sort((a, b) => indexOf(a) - indexOf(b));
  const waiting = new LeastHeap(indexOf);
  /** Of those the others did not wait for: they are in no round of their own. */
  const excused = new Set<Operation>();
  let [begun, left] = [0, gone];
  for (const operation of returned) {
    const through = indexOf(operation);
    for (; begun < operations.length; begun++) {
      const other = operations[begun] as Operation;
      if (other.invocation.index > through) break;
      waiting.push(other);
    }
    if (excused.has(operation)) continue;
    // It is in a round already if others return before it, or it was taken for one of these.
    const first = waiting.popUntil(through);
    if (first === undefined) continue;
    let there = 1;
    while (there < size && waiting.popUntil(Infinity) !== undefined) there++;
    const missing = size - there;
    if (missing <= left) {
      left -= missing;
      continue;
    }
    const absent = operations.slice(begun).filter((other) => mayBeGone(other, through));
    if (missing <= left + absent.length) {
      for (const other of absent) excused.add(other);
      continue;
    }
    const what = `process ${operation.process} is through ${key} at event ${through}`;
    const late = operations.slice(begun, begun + lateShown).map(({ invocation }) => invocation);
    const text = `${what}, when ${there} of ${size} had begun`;
    promise.broken(text, operation.completion as Event, [operation.invocation, ...late], doubt);
    return;
  }
}

function indexOf({ completion }: Operation): number {
  return completion?.type === "ok" ? completion.index : Infinity;
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
