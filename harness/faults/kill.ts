import fc, { type Arbitrary } from "fast-check";
import { targets, type FaultFamily, type Plan } from "./fault-family.ts";

/** Servers are killed (SIGKILL: nothing is flushed) and started again when the fault is undone. */
export const kill: FaultFamily = {
  name: "kill",
  summary: "kills servers and restarts them: the leader, one, a minority, a majority, all",
  needs: "kill",
  plans(voters, observers): Arbitrary<Plan> {
    return fc.record({
      target: fc.constantFrom(
        ...["leader", "leader", "one", "one", "all"],
        ...(voters > 2 ? ["minority", "majority"] : []),
      ),
      first: fc.nat(voters + observers - 1),
    });
  },
  resolve(plan, view) {
    const servers = targets(plan, view);
    return servers.length === 0 ? undefined : { kind: "kill", servers };
  },
};
