import fc, { type Arbitrary } from "fast-check";
import { numberOf, targets, type FaultFamily, type Plan } from "./fault-family.ts";
import { anyPart } from "./target-plans.ts";

const secondMs = 1_000;
const dayMs = 86_400_000;

/** Wall clocks jump by a second, a minute, an hour or a day, ahead or back. */
export const clock: FaultFamily = {
  name: "clock",
  summary: "has wall clocks jump ahead or back, by up to a day",
  needs: "clock",
  plans(voters, observers): Arbitrary<Plan> {
    const offsetMs = fc
      .tuple(fc.constantFrom(secondMs, 60 * secondMs, 3600 * secondMs, dayMs), fc.constantFrom(1, -1))
      .map(([ms, sign]) => ms * sign);
    return fc.tuple(anyPart(voters, observers), offsetMs).map(([plan, offsetMs]) => ({ ...plan, offsetMs }));
  },
  resolve(plan, view) {
    const servers = targets(plan, view);
    const offsetMs = numberOf(plan, "offsetMs", 60 * secondMs, [-365 * dayMs, 365 * dayMs]);
    return servers.length === 0 ? undefined : { kind: "clock", servers, offsetMs };
  },
};
