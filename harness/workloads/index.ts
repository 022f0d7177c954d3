import { entry } from "./entry.ts";
import { leaderElection } from "./leader-election.ts";
import { register } from "./register.ts";
import type { WorkloadEntry } from "./workload.ts";

/** What `zabcheck run` can name. To add one: a file beside this, and its entry here. */
export const workloads: readonly WorkloadEntry[] = [entry(register), entry(leaderElection)];
