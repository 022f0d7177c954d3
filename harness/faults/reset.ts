import type { Arbitrary } from "fast-check";
import type { FaultFamily, Plan } from "./fault-family.ts";
import { linkPlans, linksOfPlan } from "./links.ts";

/** Connections between servers break at once, where a partition leaves both ends waiting. In one direction, one end goes on. */
export const reset: FaultFamily = {
  name: "reset",
  summary: "resets connections between servers, at both ends or at one",
  needs: "reset",
  plans(voters, observers): Arbitrary<Plan> | undefined {
    return voters + observers < 2 ? undefined : linkPlans(voters + observers);
  },
  resolve(plan, view) {
    const links = linksOfPlan(plan, view);
    return links.length === 0 ? undefined : { kind: "reset", links };
  },
};
