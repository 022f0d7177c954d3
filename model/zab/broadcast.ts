import { at, disabled, project, setOf, update, type Action, type Server } from "../specification/index.ts";
import { broadcast, discard, pending, reply } from "./messages.ts";
import { include, connectedSids, violate, zab, type Draft, type Read, type Zab } from "./state.ts";
import {
  isNextZxid,
  lastAckIndex,
  lastZxidOfHistory,
  zxidEqual,
  zxidGreater,
  zxidToIndex,
  type Transaction,
  type Zxid,
} from "./zxid.ts";
import type { Constants } from "./constants.ts";

/** Phase 3: an established leader broadcasts transactions, a two-phase commit without aborts. */
export function broadcasting(constants: Constants): Action<Zab>[] {
  const { eachServer, eachPair, servers, maxTransactionNum, seeded } = constants;

  /** A client's request; its value is unique. */
  const LeaderProcessRequest = zab.action("LeaderProcessRequest", eachServer, (now, next, i) => {
    if (now.role[i] !== "LEADING" || now.zabState[i] !== "BROADCAST") return disabled;
    if (now.nTransaction >= maxTransactionNum) return disabled;
    const epoch = now.currentEpoch[i];
    const [lastEpoch, lastCounter] = lastZxidOfHistory(now.history[i]);
    const zxid: Zxid = lastEpoch === epoch ? [epoch, lastCounter + 1] : [epoch, 1];
    const history = [...now.history[i], { zxid, value: now.nClientRequest, ackSid: setOf(i), epoch }];
    next.history[i] = history;
    if (seeded("early-commit")) next.lastCommitted[i] = { index: history.length, zxid };
    next.nClientRequest = now.nClientRequest + 1;
    next.nTransaction = Math.max(
      ...servers.members.map((s) => (s === i ? history.length : now.history[s].length)),
    );
    next.pc = ["LeaderProcessRequest", i];
  });

  /** The leader sends its next transaction to every learner that got NEWLEADER. */
  const LeaderBroadcastPROPOSE = zab.action("LeaderBroadcastPROPOSE", eachServer, (now, next, i) => {
    if (now.role[i] !== "LEADING" || now.zabState[i] !== "BROADCAST") return disabled;
    const epoch = now.currentEpoch[i];
    const history = now.history[i];
    const [lastEpoch, lastCounter] = lastZxidOfHistory(history);
    const counter = now.sendCounter[i] + 1;
    if (lastEpoch !== epoch || counter > lastCounter) return disabled;
    const { zxid, value } = at(history, zxidToIndex(history, [epoch, counter]));
    next.sendCounter[i] = counter;
    const recipients = project(now.ackeRecv, i, connectedSids);
    broadcast(now, next, i, recipients, { mtype: "PROPOSE", mzxid: zxid, mdata: value });
    update(next, "proposalMsgsLog", include, [{ source: i, epoch, zxid, data: value }]);
    next.pc = ["LeaderBroadcastPROPOSE", i];
  });

  /** The follower appends its leader's next transaction and acknowledges it. */
  const FollowerProcessPROPOSE = zab.action("FollowerProcessPROPOSE", eachPair, (now, next, i, j) => {
    if (now.role[i] !== "FOLLOWING") return disabled;
    const msg = pending(now, j, i, "PROPOSE");
    if (msg === undefined || now.connectInfo[i] !== j) return disabled;
    const history = now.history[i];
    if (isNextZxid(lastZxidOfHistory(history), msg.mzxid)) {
      const epoch = now.currentEpoch[i];
      const value = seeded("corrupted-proposal") ? -1 : msg.mdata;
      const txn: Transaction = { zxid: msg.mzxid, value, ackSid: setOf(), epoch };
      if (seeded("prepending-follower")) next.history[i] = [txn, ...history];
      else next.history[i] = [...history, txn];
      reply(next, i, j, { mtype: "ACK", mzxid: msg.mzxid });
    } else {
      const index = zxidToIndex(history, msg.mzxid);
      if (index <= 0 || index > history.length) violate(now, next, "proposalInconsistent");
      discard(next, j, i);
    }
    next.pc = ["FollowerProcessPROPOSE", i, j];
  });

  /**
   * The leader counts an acknowledgement, and tries to commit the transaction.
   * Two pairs of reasons not to commit overlap; TLC yields the successor once for each reason, here the `disjunct`.
   */
  const acknowledgements = eachPair.flatMap(([i, j]) => [1, 2].map((disjunct) => [i, j, disjunct] as const));
  const LeaderProcessACK = zab.action("LeaderProcessACK", acknowledgements, (now, next, i, j, disjunct) => {
    if (now.role[i] !== "LEADING") return disabled;
    const msg = pending(now, j, i, "ACK");
    if (msg === undefined || !now.learners[i].has(j)) return disabled;
    const history = now.history[i];
    const index = zxidToIndex(history, msg.mzxid);
    const missing = index < 1 || index > history.length;
    const ackIndex = lastAckIndex(history, j);
    const outOfOrder = ackIndex !== -1 && ackIndex + 1 !== index;
    if (missing || outOfOrder) {
      if (satisfied(missing, outOfOrder) < disjunct) return disabled;
      violate(now, next, "ackInconsistent");
      discard(next, j, i);
    } else {
      const acknowledged = { ...at(history, index), ackSid: at(history, index).ackSid.with(j) };
      const noneOutstanding = now.lastCommitted[i].index >= history.length;
      const hasCommitted = !zxidGreater(msg.mzxid, now.lastCommitted[i].zxid);
      if (noneOutstanding || hasCommitted) {
        if (satisfied(noneOutstanding, hasCommitted) < disjunct) return disabled;
        discard(next, j, i);
      } else if (tryToCommit(constants, now, next, i, j, index, acknowledged) < disjunct) return disabled;
      next.history[i] = history.with(index - 1, acknowledged);
    }
    next.pc = ["LeaderProcessACK", i, j];
  });

  /** The follower commits its next transaction. */
  const FollowerProcessCOMMIT = zab.action("FollowerProcessCOMMIT", eachPair, (now, next, i, j) => {
    if (now.role[i] !== "FOLLOWING") return disabled;
    const msg = pending(now, j, i, "COMMIT");
    if (msg === undefined || now.connectInfo[i] !== j) return disabled;
    const index = now.lastCommitted[i].index + 1;
    if (index <= now.history[i].length) {
      if (zxidEqual(at(now.history[i], index).zxid, msg.mzxid)) {
        next.lastCommitted[i] = { index, zxid: msg.mzxid };
      } else violate(now, next, "commitInconsistent");
    }
    discard(next, j, i);
    next.pc = ["FollowerProcessCOMMIT", i, j];
  });

  return [
    LeaderProcessRequest,
    LeaderBroadcastPROPOSE,
    FollowerProcessPROPOSE,
    LeaderProcessACK,
    FollowerProcessCOMMIT,
  ];
}

/** `LeaderTryToCommit`: the number of its disjuncts that are satisfied. */
function tryToCommit(
  { isQuorum }: Constants,
  now: Read,
  next: Draft,
  leader: Server,
  follower: Server,
  index: number,
  { zxid, ackSid }: Transaction,
): number {
  const committed = now.lastCommitted[leader].index;
  discard(next, follower, leader);
  const earlierUncommitted = committed < index - 1;
  const noQuorum = !isQuorum(ackSid);
  if (earlierUncommitted || noQuorum) return satisfied(earlierUncommitted, noQuorum);
  if (committed + 1 !== index) violate(now, next, "commitInconsistent");
  next.lastCommitted[leader] = { index, zxid };
  const recipients = project(now.ackldRecv, leader, connectedSids);
  broadcast(now, next, leader, recipients, { mtype: "COMMIT", mzxid: zxid });
  return 1;
}

function satisfied(...disjuncts: readonly boolean[]): number {
  return disjuncts.filter(Boolean).length;
}
