import {
  disabled,
  project,
  setOf,
  update,
  type Action,
  type FiniteSet,
  type Server,
} from "../specification/index.ts";
import { broadcast, clean, discard, pending, reply, send } from "./messages.ts";
import {
  connectedSids,
  sids,
  updateRecv,
  include,
  violate,
  zab,
  type AckeEntry,
  type CepochEntry,
  type Draft,
  type Proposal,
  type Zab,
} from "./state.ts";
import { followerShutdown, removeLearner } from "./switching.ts";
import { initAcksid, lastZxidOfHistory, zxidGreater, type History } from "./zxid.ts";
import type { Constants } from "./constants.ts";

/** Phase 1: a prospective leader learns its followers' epochs and histories, and proposes a new epoch. */
export function discovery(constants: Constants): Action<Zab>[] {
  const { eachPair, servers, isQuorum, maxEpoch, seeded } = constants;

  /** `DetermineNewEpoch` */
  const newEpoch = (leader: Server, cepochRecv: FiniteSet<CepochEntry>): number => {
    const heard = seeded("own-epoch") ? cepochRecv.filter((entry) => entry.sid === leader) : cepochRecv;
    const highest = Math.max(...[...heard].map((entry) => entry.epoch));
    return seeded("reused-epoch") ? highest : highest + 1;
  };

  /** Follower j connects to the leader i that the oracle names, and sends f.p. */
  const ConnectAndFollowerSendCEPOCH = zab.action(
    "ConnectAndFollowerSendCEPOCH",
    eachPair,
    (now, next, i, j) => {
      if (now.leaderOracle !== i || now.role[i] !== "LEADING") return disabled;
      if (now.role[j] !== "FOLLOWING" || now.connectInfo[j] !== null) return disabled;
      if (now.learners[i].has(j)) return disabled;
      next.learners[i] = now.learners[i].with(j);
      next.connectInfo[j] = i;
      send(next, j, i, { mtype: "CEPOCH", mepoch: now.acceptedEpoch[j] });
      next.pc = ["ConnectAndFollowerSendCEPOCH", i, j];
    },
    { actor: (_, j) => j },
  );

  /** With CEPOCH from a quorum, the leader chooses its epoch e' and broadcasts NEWEPOCH; latecomers are told. */
  const LeaderProcessCEPOCH = zab.action("LeaderProcessCEPOCH", eachPair, (now, next, i, j) => {
    if (now.role[i] !== "LEADING") return disabled;
    const msg = pending(now, j, i, "CEPOCH");
    if (msg === undefined || now.maxEpoch >= maxEpoch || !now.learners[i].has(j)) return disabled;
    const cepochRecv = updateRecv(now.cepochRecv[i], { sid: j, connected: true, epoch: msg.mepoch });
    let acceptedEpoch = now.acceptedEpoch[i];
    if (isQuorum(sids(now.cepochRecv[i]))) {
      reply(next, i, j, { mtype: "NEWEPOCH", mepoch: acceptedEpoch });
    } else {
      if (now.zabState[i] !== "DISCOVERY") violate(now, next, "stateInconsistent");
      discard(next, j, i);
      if (isQuorum(sids(cepochRecv))) {
        acceptedEpoch = newEpoch(i, cepochRecv);
        next.acceptedEpoch[i] = acceptedEpoch;
        broadcast(now, next, i, connectedSids(cepochRecv), { mtype: "NEWEPOCH", mepoch: acceptedEpoch });
      }
    }
    next.cepochRecv[i] = cepochRecv;
    next.maxEpoch = Math.max(...servers.members.map((s) => (s === i ? acceptedEpoch : now.acceptedEpoch[s])));
    next.pc = ["LeaderProcessCEPOCH", i, j];
  });

  /** The follower accepts an epoch that is not lower than f.p and sends f.a and its history. */
  const FollowerProcessNEWEPOCH = zab.action("FollowerProcessNEWEPOCH", eachPair, (now, next, i, j) => {
    if (now.role[i] !== "FOLLOWING") return disabled;
    const msg = pending(now, j, i, "NEWEPOCH");
    if (msg === undefined || now.connectInfo[i] !== j) return disabled;
    if (seeded("stale-epoch") || msg.mepoch >= now.acceptedEpoch[i]) {
      if (now.zabState[i] === "DISCOVERY") {
        next.acceptedEpoch[i] = msg.mepoch;
        next.zabState[i] = "SYNCHRONIZATION";
        reply(next, i, j, {
          mtype: "ACKEPOCH",
          mepoch: now.currentEpoch[i],
          mhistory: now.history[i],
        });
      } else {
        violate(now, next, "stateInconsistent");
        discard(next, j, i);
      }
    } else {
      followerShutdown(constants, next, i);
      clean(next, i, j);
      removeLearner(now, next, j, i);
    }
    next.pc = ["FollowerProcessNEWEPOCH", i, j];
  });

  /** With ACKEPOCH from a quorum, the leader takes the most recent history for its own and broadcasts NEWLEADER. */
  const LeaderProcessACKEPOCH = zab.action("LeaderProcessACKEPOCH", eachPair, (now, next, i, j) => {
    if (now.role[i] !== "LEADING") return disabled;
    const msg = pending(now, j, i, "ACKEPOCH");
    if (msg === undefined || !now.learners[i].has(j)) return disabled;
    const epoch = now.acceptedEpoch[i];
    const entry: AckeEntry = {
      sid: j,
      connected: true,
      peerLastEpoch: msg.mepoch,
      peerHistory: msg.mhistory,
    };
    const heard = project(now.ackeRecv, i, sids);
    update(next.ackeRecv, i, updateRecv<AckeEntry>, entry);
    if (isQuorum(heard)) {
      const history = now.history[i];
      reply(next, i, j, { mtype: "NEWLEADER", mepoch: epoch, mhistory: history });
      logProposals(next, i, epoch, history);
    } else {
      if (now.zabState[i] !== "DISCOVERY") violate(now, next, "stateInconsistent");
      discard(next, j, i);
      if (isQuorum(heard.with(j))) {
        const ackeRecv = updateRecv(now.ackeRecv[i], entry);
        const history = initAcksid(determineInitialHistory(constants, i, ackeRecv), setOf(i));
        next.currentEpoch[i] = epoch;
        next.epochLeader = now.epochLeader.map((leaders, at) =>
          at + 1 === epoch ? leaders.with(i) : leaders,
        );
        next.history[i] = history;
        next.zabState[i] = "SYNCHRONIZATION";
        broadcast(now, next, i, connectedSids(ackeRecv), {
          mtype: "NEWLEADER",
          mepoch: epoch,
          mhistory: history,
        });
        logProposals(next, i, epoch, history);
      }
    }
    next.pc = ["LeaderProcessACKEPOCH", i, j];
  });

  return [ConnectAndFollowerSendCEPOCH, LeaderProcessCEPOCH, FollowerProcessNEWEPOCH, LeaderProcessACKEPOCH];
}

/** `DetermineInitialHistory`: a most recent one, by the epoch f.a and then by the last zxid. */
function determineInitialHistory(
  { seeded }: Constants,
  leader: Server,
  ackeRecv: FiniteSet<AckeEntry>,
): History {
  const moreRecentOrEqual = (one: AckeEntry, other: AckeEntry): boolean =>
    one.peerLastEpoch > other.peerLastEpoch ||
    (one.peerLastEpoch === other.peerLastEpoch &&
      !zxidGreater(lastZxidOfHistory(other.peerHistory), lastZxidOfHistory(one.peerHistory)));
  const candidates = seeded("own-history") ? ackeRecv.filter((entry) => entry.sid === leader) : ackeRecv;
  const selected = candidates.find((one) =>
    candidates.every((other) =>
      seeded("least-recent-history") ? moreRecentOrEqual(other, one) : moreRecentOrEqual(one, other),
    ),
  );
  return (selected as AckeEntry).peerHistory;
}

/** `SetPacketsForChecking`: the initial history counts as broadcast in the new epoch. */
function logProposals(next: Draft, source: Server, epoch: number, history: History): void {
  const proposals = history.map(({ zxid, value }): Proposal => ({ source, epoch, zxid, data: value }));
  update(next, "proposalMsgsLog", include, proposals);
}
