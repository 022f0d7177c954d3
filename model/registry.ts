import {
  dieHard,
  fencingLock,
  paxos,
  paxosCommit,
  raft,
  redlock,
  threePhaseCommit,
  twoPhaseCommit,
} from "./examples/index.ts";
import {
  configuration,
  doubleBarrier,
  leaderElection,
  lock,
  membership,
  queue,
  readWriteLock,
  uniqueIds,
} from "./recipes/index.ts";
import type { ModelDefinition } from "./specification/index.ts";
import { zabModel } from "./zab/index.ts";

/** The models that `zabcheck explore NAME` finds, in the order of `zabcheck models`. */
export const models: readonly ModelDefinition[] = [
  zabModel,
  leaderElection,
  lock,
  readWriteLock,
  queue,
  doubleBarrier,
  configuration,
  membership,
  uniqueIds,
  dieHard,
  twoPhaseCommit,
  threePhaseCommit,
  paxosCommit,
  paxos,
  raft,
  redlock,
  fencingLock,
];
