import {
  dieHard,
  fencingLock,
  paxos,
  paxosCommit,
  raft,
  redlock,
  replicatedService,
  threePhaseCommit,
  twoPhaseCommit,
} from "./examples/index.ts";
import {
  configurationModel,
  doubleBarrierModel,
  leaderElectionModel,
  lockModel,
  membershipModel,
  queueModel,
  readWriteLockModel,
  uniqueIdsModel,
} from "./recipes/index.ts";
import type { ModelDefinition } from "./specification/index.ts";
import { zabModel } from "./zab/index.ts";

/** The models that `zabcheck explore NAME` finds, in the order of `zabcheck models`. */
export const models: readonly ModelDefinition[] = [
  zabModel,
  leaderElectionModel,
  lockModel,
  readWriteLockModel,
  queueModel,
  doubleBarrierModel,
  configurationModel,
  membershipModel,
  uniqueIdsModel,
  dieHard,
  twoPhaseCommit,
  threePhaseCommit,
  paxosCommit,
  paxos,
  raft,
  redlock,
  fencingLock,
  replicatedService,
];
