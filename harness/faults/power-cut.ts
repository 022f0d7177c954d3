import fc, { type Arbitrary } from "fast-check";
import { targets, type FaultFamily, type Plan } from "./fault-family.ts";

/** Servers lose their power: what they had not synced is gone. All at once, as in a data centre, is what ZAB must stand. */
export const powerCut: FaultFamily = {
  name: "power-cut",
  summary: "kills servers with their page cache: the leader, one, a minority, all",
  needs: "power-cut",
  plans(voters, observers): Arbitrary<Plan> {
    return fc.record({
      target: fc.constantFrom("leader", "one", "all", "all", ...(voters > 2 ? ["minority"] : [])),
      first: fc.nat(voters + observers - 1),
    });
  },
  resolve(plan, view) {
    const servers = targets(plan, view);
    return servers.length === 0 ? undefined : { kind: "power-cut", servers };
  },
};
