import { disabled, type Action } from "../specification/index.ts";
import { broadcast, clean, discard, pending, reply } from "./messages.ts";
import { connectedSids, sids, updateRecv, violate, zab, type Zab } from "./state.ts";
import { followerShutdown, removeLearner } from "./switching.ts";
import { lastZxidOfHistory, updateAcksid, zxidToIndex, type History } from "./zxid.ts";
import type { Constants } from "./constants.ts";

/** Phase 2: the followers take over the leader's initial history, and a quorum of them establishes the leader. */
export function synchronization(constants: Constants): Action<Zab>[] {
  const { eachPair, isQuorum, seeded } = constants;

  const adopted = (own: History, leaders: History): History => {
    if (seeded("unadopted-history")) return own;
    if (seeded("half-adopted-history")) return leaders.slice(-1);
    if (seeded("corrupted-history")) return leaders.map((txn) => ({ ...txn, value: -1 }));
    return seeded("reversed-history") ? leaders.toReversed() : leaders;
  };

  /** The follower makes the leader's epoch and history its own. */
  const FollowerProcessNEWLEADER = zab.action("FollowerProcessNEWLEADER", eachPair, (now, next, i, j) => {
    if (now.role[i] !== "FOLLOWING") return disabled;
    const msg = pending(now, j, i, "NEWLEADER");
    if (msg === undefined || now.connectInfo[i] !== j) return disabled;
    if (now.acceptedEpoch[i] === msg.mepoch) {
      if (now.zabState[i] !== "SYNCHRONIZATION") violate(now, next, "stateInconsistent");
      const history = adopted(now.history[i], msg.mhistory);
      next.currentEpoch[i] = msg.mepoch;
      next.history[i] = history;
      reply(next, i, j, { mtype: "ACKLD", mzxid: lastZxidOfHistory(history) });
    } else {
      followerShutdown(constants, next, i);
      clean(next, i, j);
      removeLearner(now, next, j, i);
    }
    next.pc = ["FollowerProcessNEWLEADER", i, j];
  });

  /** With ACKLD from a quorum, the leader commits its initial history, broadcasts COMMITLD, and is established. */
  const LeaderProcessACKLD = zab.action("LeaderProcessACKLD", eachPair, (now, next, i, j) => {
    if (now.role[i] !== "LEADING") return disabled;
    const msg = pending(now, j, i, "ACKLD");
    if (msg === undefined || !now.learners[i].has(j)) return disabled;
    const ackldRecv = updateRecv(now.ackldRecv[i], { sid: j, connected: true });
    const history = now.history[i];
    if (isQuorum(sids(now.ackldRecv[i]))) {
      if (now.zabState[i] !== "BROADCAST") violate(now, next, "stateInconsistent");
      reply(next, i, j, { mtype: "COMMITLD", mzxid: now.lastCommitted[i].zxid });
    } else {
      if (now.zabState[i] !== "SYNCHRONIZATION") violate(now, next, "stateInconsistent");
      discard(next, j, i);
      if (isQuorum(sids(ackldRecv))) {
        const zxid = lastZxidOfHistory(history);
        if (!seeded("uncommitted-initial-history")) next.lastCommitted[i] = { index: history.length, zxid };
        next.zabState[i] = "BROADCAST";
        broadcast(now, next, i, connectedSids(ackldRecv), { mtype: "COMMITLD", mzxid: zxid });
      }
    }
    next.ackldRecv[i] = ackldRecv;
    next.history[i] = updateAcksid(history, j, msg.mzxid);
    next.pc = ["LeaderProcessACKLD", i, j];
  });

  /** The follower commits the initial history, up to the zxid that the leader names. */
  const FollowerProcessCOMMITLD = zab.action("FollowerProcessCOMMITLD", eachPair, (now, next, i, j) => {
    if (now.role[i] !== "FOLLOWING") return disabled;
    const msg = pending(now, j, i, "COMMITLD");
    if (msg === undefined || now.connectInfo[i] !== j) return disabled;
    const index = zxidToIndex(now.history[i], msg.mzxid);
    if (index < 0 || index > now.history[i].length) violate(now, next, "proposalInconsistent");
    next.lastCommitted[i] = { index, zxid: msg.mzxid };
    next.zabState[i] = "BROADCAST";
    discard(next, j, i);
    next.pc = ["FollowerProcessCOMMITLD", i, j];
  });

  return [FollowerProcessNEWLEADER, LeaderProcessACKLD, FollowerProcessCOMMITLD];
}
