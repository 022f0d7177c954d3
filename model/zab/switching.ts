import { setOf, type Server } from "../specification/index.ts";
import { clean } from "./messages.ts";
import { disconnectRecv, type Draft, type Read } from "./state.ts";
import { zxidZero } from "./zxid.ts";
import type { Constants } from "./constants.ts";

export function switchToFollower(next: Draft, i: Server): void {
  next.role[i] = "FOLLOWING";
  next.zabState[i] = "DISCOVERY";
}

export function switchToLeader({ seeded }: Constants, now: Read, next: Draft, i: Server): void {
  next.role[i] = "LEADING";
  next.zabState[i] = "DISCOVERY";
  next.learners[i] = setOf(i);
  next.cepochRecv[i] = setOf({ sid: i, connected: true, epoch: now.acceptedEpoch[i] });
  next.ackeRecv[i] = setOf({
    sid: i,
    connected: true,
    peerLastEpoch: now.currentEpoch[i],
    peerHistory: now.history[i],
  });
  next.ackldRecv[i] = seeded("uncounted-leader") ? setOf() : setOf({ sid: i, connected: true });
  next.sendCounter[i] = 0;
}

export function followerShutdown({ seeded }: Constants, next: Draft, i: Server): void {
  next.role[i] = "LOOKING";
  next.zabState[i] = "ELECTION";
  next.connectInfo[i] = null;
  if (seeded("forgotten-commits")) next.lastCommitted[i] = { index: 0, zxid: zxidZero };
}

/** The leader and all its learners go back to the election; whatever was sent to them is lost. */
export function leaderShutdown(constants: Constants, now: Read, next: Draft, i: Server): void {
  for (const learner of now.learners[i]) {
    followerShutdown(constants, next, learner);
    for (const sender of constants.servers.members) next.msgs[sender][learner] = [];
  }
  next.learners[i] = setOf();
}

export function removeLearner(now: Read, next: Draft, leader: Server, learner: Server): void {
  next.learners[leader] = now.learners[leader].without(learner);
  next.cepochRecv[leader] = disconnectRecv(now.cepochRecv[leader], learner);
  next.ackeRecv[leader] = disconnectRecv(now.ackeRecv[leader], learner);
  next.ackldRecv[leader] = disconnectRecv(now.ackldRecv[leader], learner);
}

/** The leader loses one learner, and goes back to the election itself if no quorum is left. */
export function loseLearner(
  constants: Constants,
  now: Read,
  next: Draft,
  leader: Server,
  learner: Server,
): void {
  if (constants.isQuorum(now.learners[leader].without(learner))) {
    removeLearner(now, next, leader, learner);
    followerShutdown(constants, next, learner);
    clean(next, leader, learner);
  } else {
    leaderShutdown(constants, now, next, leader);
  }
}
