import fc, { type Arbitrary } from "fast-check";
import type { ServerName } from "../../clusters/index.ts";
import { majorityOf, rotated, type EnsembleView, type FaultFamily, type Plan } from "./fault-family.ts";

type Cut = readonly [ServerName, ServerName];

/**
 * Links between servers are cut; clients still reach every server.
 *
 * Shapes: `leader-alone`; `halves`, a minority on one side; `one-way`, the leader no longer hears the others or is
 * no longer heard; `ring`, every server hears a majority and no two the same one (Jepsen's majorities ring).
 */
export const partition: FaultFamily = {
  name: "partition",
  summary: "cuts links: the leader alone, halves, one way, a ring of majorities",
  needs: "partition",
  plans(servers): Arbitrary<Plan> | undefined {
    if (servers < 2) return undefined;
    const first = fc.nat(servers - 1);
    return fc.oneof(
      { arbitrary: fc.record({ shape: fc.constant("leader-alone") }), weight: 4 },
      { arbitrary: fc.record({ shape: fc.constant("halves"), first }), weight: 2 },
      {
        arbitrary: fc.record({ shape: fc.constant("one-way"), direction: fc.constantFrom("from", "to") }),
        weight: 2,
      },
      ...(servers > 2 ? [{ arbitrary: fc.record({ shape: fc.constant("ring"), first }), weight: 1 }] : []),
    );
  },
  resolve(plan, view) {
    const cuts = cutsOf(plan, view);
    return cuts.length === 0 ? undefined : { kind: "partition", cuts };
  },
};

function cutsOf(plan: Plan, view: EnsembleView): readonly Cut[] {
  const { leader, servers } = view;
  const circle = rotated(servers, typeof plan["first"] === "number" ? plan["first"] : 0);
  switch (plan["shape"]) {
    case "leader-alone":
      return leader === undefined ? [] : between([leader], servers);
    case "halves":
      return between(circle.slice(0, servers.length - majorityOf(servers.length)), servers);
    case "one-way":
      if (leader === undefined) return [];
      return between([leader], servers).filter(
        ([from, to]) => (plan["direction"] === "from" ? from : to) === leader,
      );
    case "ring":
      return ring(circle);
    default:
      return [];
  }
}

/** Both ways between some servers and all the others. */
function between(side: readonly ServerName[], servers: readonly ServerName[]): readonly Cut[] {
  const other = servers.filter((server) => !side.includes(server));
  return side.flatMap((a) =>
    other.flatMap((b): readonly Cut[] => [
      [a, b],
      [b, a],
    ]),
  );
}

/** Each server hears the majority of which it is the middle, and nobody else. */
function ring(circle: readonly ServerName[]): readonly Cut[] {
  const majority = majorityOf(circle.length);
  const before = Math.floor(majority / 2);
  return circle.flatMap((hearer, i) => {
    const heard = Array.from(
      { length: majority },
      (_, k) => circle[(i - before + k + circle.length) % circle.length],
    );
    return circle.filter((server) => !heard.includes(server)).map((server): Cut => [server, hearer]);
  });
}
