import fc, { type Arbitrary } from "fast-check";
import { targets, type FaultFamily, type Plan } from "./fault-family.ts";

/** A voter leaves the ensemble, a spare server joins it, or both. */
export const reconfig: FaultFamily = {
  name: "reconfig",
  summary: "removes the leader or another voter, adds a server, or both, by reconfig",
  needs: "reconfig",
  plans(voters): Arbitrary<Plan> | undefined {
    if (voters < 3) return undefined;
    return fc.record({
      change: fc.constantFrom("remove", "add", "replace"),
      target: fc.constantFrom("leader", "one"),
      first: fc.nat(voters - 1),
    });
  },
  resolve(plan, view) {
    const leaving = plan["change"] === "add" ? [] : targets(plan, { ...view, servers: view.voters });
    const joining = plan["change"] === "remove" ? [] : view.spares.slice(0, 1);
    if (plan["change"] !== "add" && leaving.length === 0) return undefined;
    if (plan["change"] !== "remove" && joining.length === 0) return undefined;
    return { kind: "reconfig", leaving, joining };
  },
};
