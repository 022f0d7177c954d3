import fc, { type Arbitrary } from "fast-check";
import { numberOf, type FaultFamily, type Plan } from "./fault-family.ts";
import { linkPlans, linksOfPlan } from "./links.ts";

/** Some packets between servers are lost; TCP sends them again, later and later. */
export const loss: FaultFamily = {
  name: "loss",
  summary: "loses 5 to 70 percent of the packets on some links",
  needs: "loss",
  plans(voters, observers): Arbitrary<Plan> | undefined {
    if (voters + observers < 2) return undefined;
    const percent = fc.constantFrom(5, 20, 40, 70);
    return fc
      .tuple(linkPlans(voters + observers), percent)
      .map(([links, percent]) => ({ ...links, percent }));
  },
  resolve(plan, view) {
    const links = linksOfPlan(plan, view);
    const share = numberOf(plan, "percent", 20, [0, 100]) / 100;
    return links.length === 0 ? undefined : { kind: "loss", links, share };
  },
};
