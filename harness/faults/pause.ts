import fc, { type Arbitrary } from "fast-check";
import { targets, type FaultFamily, type Plan } from "./fault-family.ts";

/** Servers stand still as in a long garbage collection, and go on later as if nothing had been. */
export const pause: FaultFamily = {
  name: "pause",
  summary: "freezes servers and lets them go on: the leader, one, a majority",
  needs: "pause",
  plans(voters, observers): Arbitrary<Plan> {
    return fc.record({
      target: fc.constantFrom("leader", "leader", "one", ...(voters > 2 ? ["majority"] : [])),
      first: fc.nat(voters + observers - 1),
    });
  },
  resolve(plan, view) {
    const servers = targets(plan, view);
    return servers.length === 0 ? undefined : { kind: "pause", servers };
  },
};
