import fc, { type Arbitrary } from "fast-check";
import { numberOf, targets, type FaultFamily, type Plan } from "./fault-family.ts";

/** Every fsync of the log takes longer, at all servers as on a storage that they share. */
export const slowDisk: FaultFamily = {
  name: "slow-disk",
  summary: "delays every fsync of the log, by up to a second",
  needs: "slow-disk",
  plans(voters, observers): Arbitrary<Plan> {
    return fc.record({
      target: fc.constantFrom("leader", "one", "all", ...(voters > 2 ? ["majority"] : [])),
      first: fc.nat(voters + observers - 1),
      delayMs: fc.constantFrom(20, 100, 400, 1000),
    });
  },
  resolve(plan, view) {
    const servers = targets(plan, view);
    const delayMs = numberOf(plan, "delayMs", 100, [0, 60_000]);
    return servers.length === 0 ? undefined : { kind: "slow-disk", servers, delayMs };
  },
};
