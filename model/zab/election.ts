import { disabled, type Action } from "../specification/index.ts";
import { switchToFollower, switchToLeader } from "./switching.ts";
import { zab, type Zab } from "./state.ts";
import type { Constants } from "./constants.ts";

/** Phase 0: an oracle, which may name any server at any time and need not be right. */
export function election(constants: Constants): Action<Zab>[] {
  const { eachServer } = constants;

  /** The oracle names a looking server, which leads at once. */
  const UpdateLeader = zab.action("UpdateLeader", eachServer, (now, next, i) => {
    if (now.role[i] !== "LOOKING" || now.leaderOracle === i) return disabled;
    next.leaderOracle = i;
    switchToLeader(constants, now, next, i);
    next.pc = ["UpdateLeader", i];
  });

  /** A looking server obeys the oracle. */
  const FollowLeader = zab.action("FollowLeader", eachServer, (now, next, i) => {
    if (now.role[i] !== "LOOKING" || now.leaderOracle === null) return disabled;
    if (now.leaderOracle === i) switchToLeader(constants, now, next, i);
    else switchToFollower(next, i);
    next.pc = ["FollowLeader", i];
  });

  return [UpdateLeader, FollowLeader];
}
