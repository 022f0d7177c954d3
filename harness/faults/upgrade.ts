import fc, { type Arbitrary } from "fast-check";
import { leaderLast, type FaultFamily, type Plan } from "./fault-family.ts";

/** Every server goes on with the other release in turn, followers first; undone, they all come back. */
export const upgrade: FaultFamily = {
  name: "upgrade",
  summary: "moves every server to another release (--upgrade-to) and back, one after the other",
  needs: "upgrade",
  plans: (): Arbitrary<Plan> => fc.constant({}),
  resolve(_plan, view) {
    const servers = leaderLast(view);
    return servers === undefined ? undefined : { kind: "upgrade", servers };
  },
};
