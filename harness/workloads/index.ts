import { appendList } from "./append-list.ts";
import { compareAndSet } from "./compare-and-set.ts";
import { configuration } from "./configuration.ts";
import { doubleBarrier } from "./double-barrier.ts";
import { entry } from "./entry.ts";
import { leaderElection } from "./leader-election.ts";
import { lock, readWriteLock } from "./lock.ts";
import { membership } from "./membership.ts";
import { multi } from "./multi.ts";
import type { WorkloadName } from "./names.ts";
import { queue } from "./queue.ts";
import { register } from "./register.ts";
import { sequentialIdsWorkload } from "./sequential-ids.ts";
import { sessions } from "./sessions.ts";
import { set } from "./set.ts";
import type { WorkloadEntry } from "./workload.ts";

const byName: { readonly [name in WorkloadName]: WorkloadEntry } = {
  register: entry(register),
  "compare-and-set": entry(compareAndSet),
  "leader-election": entry(leaderElection),
  lock: entry(lock),
  "read-write-lock": entry(readWriteLock),
  queue: entry(queue),
  "sequential-ids": entry(sequentialIdsWorkload),
  set: entry(set),
  "append-list": entry(appendList),
  membership: entry(membership),
  configuration: entry(configuration),
  "double-barrier": entry(doubleBarrier),
  multi: entry(multi),
  sessions: entry(sessions),
};

/**
 * What `zabcheck run` can name. To add one: its name in `names.ts`, a file beside this, its checks in `checks.ts` and its
 * entry here.
 */
export const workloads: readonly WorkloadEntry[] = Object.values(byName);
