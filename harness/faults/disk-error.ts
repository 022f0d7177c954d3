import fc, { type Arbitrary } from "fast-check";
import type { DiskOperation } from "../../clusters/index.ts";
import { targets, type FaultFamily, type Plan } from "./fault-family.ts";
import { smallPart } from "./target-plans.ts";

/** Servers cannot write their log, or not sync it; they are restarted when they can again. */
export const diskError: FaultFamily = {
  name: "disk-error",
  summary: "fails the log's fsync or write at the leader, one or a minority",
  needs: "disk-error",
  plans(voters, observers): Arbitrary<Plan> {
    const operation = fc.constantFrom<DiskOperation>("fsync", "fsync", "write");
    return fc
      .tuple(smallPart(voters, observers), operation)
      .map(([plan, operation]) => ({ ...plan, operation }));
  },
  resolve(plan, view) {
    const servers = targets(plan, view);
    const operation = plan["operation"] === "write" ? "write" : "fsync";
    return servers.length === 0 ? undefined : { kind: "disk-error", servers, operation };
  },
};
