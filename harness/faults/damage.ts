import fc, { type Arbitrary } from "fast-check";
import type { LogDamage } from "../../clusters/index.ts";
import { targets, type FaultFamily, type Plan } from "./fault-family.ts";

/** The newest log of a minority ends in the middle of a record, or has a bit flipped, while everything else is well. */
export const damage: FaultFamily = {
  name: "damage",
  summary: "tears the log of stopped voters, or flips a bit in it: the leader's or a minority's",
  needs: "damage",
  plans(voters): Arbitrary<Plan> | undefined {
    if (voters < 3) return undefined;
    return fc.record({
      target: fc.constantFrom("leader", "minority"),
      first: fc.nat(voters - 1),
      damage: fc.constantFrom<LogDamage>("torn", "flipped"),
    });
  },
  resolve(plan, view) {
    const servers = targets(plan, view);
    const damage = plan["damage"] === "flipped" ? "flipped" : "torn";
    return servers.length === 0 ? undefined : { kind: "damage", servers, damage };
  },
};
