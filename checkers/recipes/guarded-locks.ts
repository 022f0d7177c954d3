import type { Event } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";
import { nameOf } from "../zookeeper/real-time.ts";
import { readHistory } from "../zookeeper/history/intake.ts";
import type { Step } from "../zookeeper/history/steps.ts";
import { certainHolds } from "./locks.ts";

/*
 * Locks judged by what they guard: a znode for each lock, which writers write under the lock, with the fencing token
 * that their own znode in the queue is (its czxid), and readers read. Sessions make this exact where real time is not:
 * a write of a session that has expired is refused, so that zombies leave no trace.
 */

/**
 * Writers write in turn: in the order of zxids the tokens in a guarded znode never fall. A token that falls was written
 * by a client whose session, and so whose znode in the queue, lived on while a later one had the lock. The writes are
 * unconditional: nothing but the lock keeps them apart. `isGuard` says which paths are guarded znodes. O(n log n).
 */
export function checkGuardWriters(events: readonly Event[], isGuard: (path: string) => boolean): Verdict {
  const promise = new PromiseCheck("guard-writers");
  const writes = readHistory(events).steps.filter(
    (step) => step.op === "setData" && step.outcome === "ok" && isGuard(step.path),
  );
  const last = new Map<string, { readonly token: number; readonly step: Step }>();
  for (const step of writes.toSorted((a, b) => a.zxid - b.zxid)) {
    promise.checked();
    const token = Number(step.data);
    const before = last.get(step.path);
    if (before === undefined || token >= before.token) {
      last.set(step.path, { token, step });
      continue;
    }
    promise.broken(
      `${nameOf(step)} is by token ${token}, after a write by token ${before.token}: both had the lock`,
      step.completion ?? step.invocation,
      [step.invocation, before.step.invocation, before.step.completion],
    );
  }
  return promise.verdict("those who have a lock write in turn", "guarded writes");
}

/**
 * Nobody writes while others read: all reads of a guarded znode within one certain hold for reading show one version.
 * `guardOf` names a lock's guarded znode. O(n log n).
 */
export function checkGuardReaders(
  events: readonly Event[],
  guardOf: (lock: string) => string | undefined,
): Verdict {
  const promise = new PromiseCheck("guard-readers");
  const reads = new Map<string, Step[]>();
  for (const step of readHistory(events).answered) {
    if (step.op !== "getData" || step.stat === undefined) continue;
    const key = `${step.session} ${step.path}`;
    const own = reads.get(key);
    if (own === undefined) reads.set(key, [step]);
    else own.push(step);
  }
  for (const { lock, shared, from, until } of certainHolds(events)) {
    const guard = shared ? guardOf(String(JSON.parse(lock))) : undefined;
    const own = reads.get(`${from.session} ${guard}`) ?? [];
    const within = own.filter((step) => step.invokedAt > from.index && step.completedAt < until);
    const [first] = within;
    if (first?.stat === undefined || within.length < 2) continue;
    promise.checked();
    const { version } = first.stat;
    const other = within.find(({ stat }) => stat?.version !== version);
    if (other?.completion === undefined) continue;
    const what = `${nameOf(other)} shows version ${other.stat?.version}, and before, under the same lock, ${version}`;
    promise.broken(what, other.completion, [from, first.completion]);
  }
  return promise.verdict("nobody writes while others read", "holds for reading");
}
