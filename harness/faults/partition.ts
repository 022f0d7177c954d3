import fc, { type Arbitrary } from "fast-check";
import type { Link, ServerName } from "../../clusters/index.ts";
import {
  majorityOf,
  numberOf,
  rotated,
  targets,
  type EnsembleView,
  type FaultFamily,
  type Plan,
} from "./fault-family.ts";
import { between } from "./links.ts";

/**
 * Links between servers are cut; clients still reach every server.
 *
 * Shapes: `leader-alone`; `one`, any server alone; `halves`, a minority on one side; `one-way`, the leader no longer
 * hears the others or is no longer heard; `ring`, every voter hears a majority and no two the same one (Jepsen's
 * majorities ring); `bridge`, two halves that hear each other's words only through the one server that hears both.
 */
export const partition: FaultFamily = {
  name: "partition",
  summary: "cuts links: one server or the leader alone, halves, one way, a ring of majorities, a bridge",
  needs: "partition",
  plans(voters, observers): Arbitrary<Plan> | undefined {
    const servers = voters + observers;
    if (servers < 2) return undefined;
    const first = fc.nat(servers - 1);
    const shape = <S extends string>(name: S): Arbitrary<S> => fc.constant(name);
    return fc.oneof(
      { arbitrary: fc.record({ shape: shape("leader-alone") }), weight: 4 },
      { arbitrary: fc.record({ shape: shape("one"), first }), weight: 1 },
      { arbitrary: fc.record({ shape: shape("halves"), first }), weight: 2 },
      {
        arbitrary: fc.record({ shape: shape("one-way"), direction: fc.constantFrom("from", "to") }),
        weight: 2,
      },
      ...(voters > 2
        ? [
            { arbitrary: fc.record({ shape: shape("ring"), first }), weight: 1 },
            { arbitrary: fc.record({ shape: shape("bridge"), first }), weight: 1 },
          ]
        : []),
    );
  },
  resolve(plan, view) {
    const cuts = cutsOf(plan, view);
    return cuts.length === 0 ? undefined : { kind: "partition", cuts };
  },
};

function cutsOf(plan: Plan, view: EnsembleView): readonly Link[] {
  const { leader, servers, voters } = view;
  const circle = rotated(voters, numberOf(plan, "first", 0, [0, Number.MAX_SAFE_INTEGER]));
  switch (plan["shape"]) {
    case "leader-alone":
      return leader === undefined ? [] : between([leader], servers);
    case "one":
      return between(targets({ ...plan, target: "one" }, view), servers);
    case "halves":
      return between(circle.slice(0, voters.length - majorityOf(voters.length)), servers);
    case "one-way":
      if (leader === undefined) return [];
      return between([leader], servers).filter(
        ([from, to]) => (plan["direction"] === "from" ? from : to) === leader,
      );
    case "ring":
      return ring(circle);
    case "bridge":
      return bridge(circle, servers);
    default:
      return [];
  }
}

/** Each server hears the majority of which it is the middle, and nobody else. */
function ring(circle: readonly ServerName[]): readonly Link[] {
  const majority = majorityOf(circle.length);
  const before = Math.floor(majority / 2);
  return circle.flatMap((hearer, i) => {
    const heard = Array.from(
      { length: majority },
      (_, k) => circle[(i - before + k + circle.length) % circle.length],
    );
    return circle.filter((server) => !heard.includes(server)).map((server): Link => [server, hearer]);
  });
}

/** The first of the circle hears everybody; of the others, one half does not hear the other. Observers are of the second half. */
function bridge(circle: readonly ServerName[], servers: readonly ServerName[]): readonly Link[] {
  const rest = servers.filter((server) => server !== circle[0]);
  const half = circle.slice(1, 1 + Math.floor((circle.length - 1) / 2));
  return between(half, rest);
}
