import type { Check } from "./workload.ts";

/** The checkers of a workload's history, each imported when it runs. */

/** For every workload whose operations are those of znodes. */
export const znodeChecks: readonly Check[] = [];

export const leaderElectionChecks: readonly Check[] = [...znodeChecks];
