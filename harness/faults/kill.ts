import fc, { type Arbitrary } from "fast-check";
import { targets, type FaultFamily, type Plan } from "./fault-family.ts";

/** Servers are killed (SIGKILL: nothing is flushed) and started again when the fault is undone. */
export const kill: FaultFamily = {
  name: "kill",
  summary: "kills servers and restarts them: the leader, one, a majority, all",
  needs: "kill",
  plans(servers): Arbitrary<Plan> {
    return fc.record({
      target: fc.constantFrom("leader", "leader", "one", "one", ...(servers > 2 ? ["majority"] : []), "all"),
      first: fc.nat(servers - 1),
    });
  },
  resolve(plan, view) {
    const servers = targets(plan["target"] ?? null, plan["first"] ?? null, view);
    return servers.length === 0 ? undefined : { kind: "kill", servers };
  },
};
