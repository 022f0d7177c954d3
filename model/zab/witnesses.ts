import { setOf, type Recoverable, type Server, type Witness } from "../specification/index.ts";
import { pending } from "./messages.ts";
import { zab, type Read, type Zab } from "./state.ts";
import { txnEqual, type History } from "./zxid.ts";
import type { Constants } from "./constants.ts";

/** What must be seen, lest the invariants hold because nothing happens. */
export function witnesses({ servers, eachPair, seeded }: Constants): Witness<Zab>[] {
  const all = servers.members;

  const TransactionCommits = zab.witness("TransactionCommits", (now) =>
    all.some((i) => now.lastCommitted[i].index > 0),
  );

  const TwoEpochsCommit = zab.witness("TwoEpochsCommit", (now) =>
    all.some((i) => {
      const index = now.lastCommitted[i].index;
      return index >= 2 && new Set(now.history[i].slice(0, index).map((txn) => txn.zxid[0])).size >= 2;
    }),
  );

  const synchronised = (now: Read, compare: (leaders: History, followers: History) => boolean): boolean =>
    eachPair.some(([i, j]) => {
      if (now.role[i] !== "FOLLOWING" || now.zabState[i] !== "SYNCHRONIZATION") return false;
      const msg = pending(now, j, i, "NEWLEADER");
      if (msg === undefined || now.connectInfo[i] !== j || now.acceptedEpoch[i] !== msg.mepoch) return false;
      return compare(msg.mhistory, now.history[i]);
    });

  /** A follower is about to take over a history that is longer than its own. */
  const SynchronisedWithLonger = zab.witness("SynchronisedWithLonger", (now) =>
    synchronised(now, (leaders, followers) => leaders.length > followers.length),
  );

  /** A follower is about to take over a shorter history, and to forget transactions that were never committed. */
  const SynchronisedWithShorter = zab.witness("SynchronisedWithShorter", (now) =>
    synchronised(now, (leaders, followers) => leaders.length < followers.length),
  );

  /** A server that led its epoch looks for a leader, and has a transaction of its own that nobody has committed. */
  const DeposedWithUncommitted = zab.witness("DeposedWithUncommitted", (now) =>
    all.some((i) => {
      if (now.role[i] !== "LOOKING") return false;
      const own = now.history[i].at(-1);
      const epoch = now.currentEpoch[i];
      if (own === undefined || own.zxid[0] !== epoch || now.epochLeader[epoch - 1]?.has(i) !== true)
        return false;
      return all.every((s) =>
        now.history[s].slice(0, now.lastCommitted[s].index).every((txn) => !txnEqual(txn, own)),
      );
    }),
  );

  /** The guard that the variant stale-epoch takes away would be needed. */
  const StaleEpochOffered = zab.witness("StaleEpochOffered", (now) =>
    eachPair.some(([i, j]) => {
      if (now.role[i] !== "FOLLOWING") return false;
      const msg = pending(now, j, i, "NEWEPOCH");
      return msg !== undefined && now.connectInfo[i] === j && msg.mepoch < now.acceptedEpoch[i];
    }),
  );

  return [
    TransactionCommits,
    TwoEpochsCommit,
    SynchronisedWithLonger,
    SynchronisedWithShorter,
    DeposedWithUncommitted,
    ...(seeded("stale-epoch") ? [StaleEpochOffered] : []),
  ];
}

/** What must always remain possible. */
export function recoverables(constants: Constants): Recoverable<Zab>[] {
  const { servers, isQuorum, maxEpoch, maxTimeoutFailures, maxRestarts, separateBudgets } = constants;
  const all = servers.members;

  const inBroadcast = (now: Read, leader: Server): boolean =>
    now.role[leader] === "LEADING" &&
    now.zabState[leader] === "BROADCAST" &&
    isQuorum(now.learners[leader].filter((i) => now.zabState[i] === "BROADCAST"));

  const failuresSpent = (now: Read): boolean =>
    now.nTimeout >= maxTimeoutFailures && (!separateBudgets || now.nRestart >= maxRestarts);

  /**
   * A server can be elected and a quorum can follow it. Without this nothing is promised: the oracle may make every
   * server lead alone, and the specification has no timeout of a leader without followers.
   */
  const electable = (now: Read): boolean => {
    const free = all.filter(
      (i) => now.role[i] === "LOOKING" || (now.role[i] === "FOLLOWING" && now.connectInfo[i] === null),
    );
    return isQuorum(setOf(...free)) && free.some((i) => now.role[i] === "LOOKING");
  };

  /** Once no failure is to come, while an epoch is left, a leader with a quorum can be established. */
  const EstablishedLeader: Recoverable<Zab> = {
    name: "EstablishedLeader",
    from: (now) => failuresSpent(now) && now.maxEpoch < maxEpoch && electable(now),
    to: (now) => all.some((leader) => inBroadcast(now, leader)),
  };

  return [EstablishedLeader];
}
