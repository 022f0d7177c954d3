import fc, { type Arbitrary } from "fast-check";
import { leaderLast, type FaultFamily, type Plan } from "./fault-family.ts";

/** Every server is restarted in turn, followers first. */
export const rollingRestart: FaultFamily = {
  name: "rolling-restart",
  summary: "restarts every server, one after the other, the leader last",
  needs: "rolling-restart",
  plans: (): Arbitrary<Plan> => fc.constant({}),
  resolve(_plan, view) {
    const servers = leaderLast(view);
    return servers === undefined ? undefined : { kind: "rolling-restart", servers };
  },
};
