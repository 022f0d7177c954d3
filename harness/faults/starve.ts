import fc, { type Arbitrary } from "fast-check";
import { numberOf, targets, type FaultFamily, type Plan } from "./fault-family.ts";
import { anyPart } from "./target-plans.ts";

/** Servers get little of a processor: they do everything, late. */
export const starve: FaultFamily = {
  name: "starve",
  summary: "leaves 2 to 20 percent of a processor to the leader, one, a majority, all",
  needs: "starve",
  plans(voters, observers): Arbitrary<Plan> {
    const percent = fc.constantFrom(2, 5, 20);
    return fc.tuple(anyPart(voters, observers), percent).map(([plan, percent]) => ({ ...plan, percent }));
  },
  resolve(plan, view) {
    const servers = targets(plan, view);
    const share = numberOf(plan, "percent", 5, [1, 100]) / 100;
    return servers.length === 0 ? undefined : { kind: "starve", servers, share };
  },
};
