import { targets, type FaultFamily } from "./fault-family.ts";
import { smallPart } from "./target-plans.ts";

/** Servers find no room for what they have to log; they are restarted when there is some again. */
export const diskFull: FaultFamily = {
  name: "disk-full",
  summary: "fills the disk of the leader, one or a minority",
  needs: "disk-full",
  plans: smallPart,
  resolve(plan, view) {
    const servers = targets(plan, view);
    return servers.length === 0 ? undefined : { kind: "disk-full", servers };
  },
};
