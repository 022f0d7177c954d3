import fc, { type Arbitrary } from "fast-check";
import { numberOf, targets, type FaultFamily, type Plan } from "./fault-family.ts";
import { anyPart } from "./target-plans.ts";

/** Timers run faster or slower than they should: sessions end early or late, and servers lose patience with each other. */
export const clockRate: FaultFamily = {
  name: "clock-rate",
  summary: "has the servers' timers run at half to one and a half times their rate",
  needs: "clock-rate",
  plans(voters, observers): Arbitrary<Plan> {
    const percent = fc.constantFrom(50, 80, 120, 150);
    return fc.tuple(anyPart(voters, observers), percent).map(([plan, percent]) => ({ ...plan, percent }));
  },
  resolve(plan, view) {
    const servers = targets(plan, view);
    const rate = numberOf(plan, "percent", 120, [10, 1_000]) / 100;
    return servers.length === 0 ? undefined : { kind: "clock-rate", servers, rate };
  },
};
