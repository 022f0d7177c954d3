import fc, { type Arbitrary } from "fast-check";
import { numberOf, type FaultFamily, type Plan } from "./fault-family.ts";
import { linkPlans, linksOfPlan } from "./links.ts";

/** Packets between servers are under way for longer: from a slow network to one that elections and pings hardly stand. */
export const delay: FaultFamily = {
  name: "delay",
  summary: "delays the packets on some links, by up to a second",
  needs: "delay",
  plans(voters, observers): Arbitrary<Plan> | undefined {
    if (voters + observers < 2) return undefined;
    const bounds = fc.record({
      minMs: fc.integer({ min: 0, max: 300 }),
      spreadMs: fc.constantFrom(5, 50, 200, 700),
    });
    return fc
      .tuple(linkPlans(voters + observers), bounds)
      .map(([links, bounds]) => ({ ...links, ...bounds }));
  },
  resolve(plan, view) {
    const links = linksOfPlan(plan, view);
    const minMs = numberOf(plan, "minMs", 50, [0, 60_000]);
    const maxMs = minMs + numberOf(plan, "spreadMs", 50, [0, 60_000]);
    return links.length === 0 ? undefined : { kind: "delay", links, delayMs: [minMs, maxMs] };
  },
};
