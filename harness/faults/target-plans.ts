import fc, { type Arbitrary } from "fast-check";
import type { Plan } from "./fault-family.ts";

/** Plans that aim at servers, for `targets` to resolve. */

/** Whatever part of the ensemble: nothing is destroyed. */
export function anyPart(voters: number, observers: number): Arbitrary<Plan> {
  return fc.record({
    target: fc.constantFrom("leader", "leader", "one", "all", ...(voters > 2 ? ["majority"] : [])),
    first: fc.nat(voters + observers - 1),
  });
}

/** A minority of the voters at most: what destroys more than that ends the ensemble, which is another experiment. */
export function smallPart(voters: number, observers: number): Arbitrary<Plan> {
  return fc.record({
    target: fc.constantFrom("leader", "one", ...(voters > 2 ? ["minority"] : [])),
    first: fc.nat(voters + observers - 1),
  });
}
