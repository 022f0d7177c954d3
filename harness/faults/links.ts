import fc, { type Arbitrary } from "fast-check";
import type { Link, ServerName } from "../../clusters/index.ts";
import { numberOf, rotated, type EnsembleView, type Plan } from "./fault-family.ts";

/** Both ways between some servers and all the others. */
export function between(side: readonly ServerName[], servers: readonly ServerName[]): readonly Link[] {
  const other = servers.filter((server) => !side.includes(server));
  return side.flatMap((a) =>
    other.flatMap((b): readonly Link[] => [
      [a, b],
      [b, a],
    ]),
  );
}

/**
 * Which links a fault of the network is about: those around the leader or one server, in both directions or one, or
 * all of them.
 */
export function linkPlans(
  servers: number,
): Arbitrary<{ readonly around: string; readonly first: number; readonly direction: string }> {
  return fc.record({
    around: fc.constantFrom("leader", "leader", "one", "all"),
    first: fc.nat(servers - 1),
    direction: fc.constantFrom("both", "both", "from", "to"),
  });
}

/** The links that such a plan means now; none while nobody leads and the plan is about the leader. */
export function linksOfPlan(plan: Plan, view: EnsembleView): readonly Link[] {
  const { servers, leader } = view;
  if (plan["around"] === "all") return servers.flatMap((from) => to(from, servers));
  const first = numberOf(plan, "first", 0, [0, Number.MAX_SAFE_INTEGER]);
  const middle = plan["around"] === "leader" ? leader : rotated(servers, first)[0];
  if (middle === undefined) return [];
  return between([middle], servers).filter(([from, to]) => {
    if (plan["direction"] === "from") return from === middle;
    return plan["direction"] === "to" ? to === middle : true;
  });
}

function to(from: ServerName, servers: readonly ServerName[]): readonly Link[] {
  return servers.filter((server) => server !== from).map((server): Link => [from, server]);
}
