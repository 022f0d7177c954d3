import { disabled, type Action } from "../specification/index.ts";
import { followerShutdown, leaderShutdown, loseLearner } from "./switching.ts";
import { zab, type Zab } from "./state.ts";
import { zxidZero } from "./zxid.ts";
import type { Constants } from "./constants.ts";

/**
 * What happens to servers. There is a Restart and no crash: a server that does nothing after its restart is a
 * crashed one.
 */
export function faults(constants: Constants): Action<Zab>[] {
  const { eachServer, eachPair, servers, maxTimeoutFailures, maxRestarts, separateBudgets, seeded } =
    constants;

  /** Leader i and follower j lose their connection. */
  const Timeout = zab.action(
    "Timeout",
    eachPair,
    (now, next, i, j) => {
      if (now.role[i] !== "LEADING" || now.connectInfo[j] !== i) return disabled;
      if (now.nTimeout >= maxTimeoutFailures) return disabled;
      if (now.role[j] !== "FOLLOWING" || !now.learners[i].has(j)) return disabled;
      loseLearner(constants, now, next, i, j);
      next.nTimeout = now.nTimeout + 1;
      next.pc = ["Timeout", i, j];
    },
    { fault: true },
  );

  /** The disk (epochs, history) survives, what the server knew to be committed does not. It counts as a timeout, too. */
  const Restart = zab.action(
    "Restart",
    eachServer,
    (now, next, i) => {
      if (now.nRestart >= maxRestarts) return disabled;
      if (!separateBudgets && now.nTimeout >= maxTimeoutFailures) return disabled;
      if (now.role[i] === "LEADING") leaderShutdown(constants, now, next, i);
      if (now.role[i] === "FOLLOWING") {
        const leader = now.connectInfo[i];
        if (leader !== null) loseLearner(constants, now, next, leader, i);
        else {
          followerShutdown(constants, next, i);
          for (const sender of servers.members) next.msgs[sender][i] = [];
        }
      }
      next.lastCommitted[i] = { index: 0, zxid: zxidZero };
      if (seeded("volatile-epoch")) next.acceptedEpoch[i] = 0;
      next.nTimeout = now.nTimeout + 1;
      next.nRestart = now.nRestart + 1;
      next.pc = ["Restart", i];
    },
    { fault: true },
  );

  return [Timeout, Restart];
}
