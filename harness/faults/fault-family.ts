import type { Arbitrary } from "fast-check";
import type { Fault, FaultKind, ServerName } from "../../clusters/index.ts";
import type { Json } from "../../model/index.ts";

/** What a plan is resolved against, at the moment it is applied. */
export interface EnsembleView {
  /** In the ensemble's own order. */
  readonly servers: readonly ServerName[];
  /** Who says that it leads; undefined where nobody does. */
  readonly leader: ServerName | undefined;
}

/** A plan is plain JSON, so that a schedule can be stored, replayed and shrunk; targets are named by part ("leader") or position. */
export type Plan = { readonly [name: string]: Json };

/** A kind of trouble. One file and one entry in `families` add one. */
export interface FaultFamily {
  /** As in `--faults`. */
  readonly name: string;
  /** For `--help`: one line. */
  readonly summary: string;
  /** The fault that a cluster must be able to do. */
  readonly needs: FaultKind;
  /** The plans of this family for an ensemble of `servers`; undefined where it makes no sense for that many. */
  plans(servers: number): Arbitrary<Plan> | undefined;
  /** What a plan means now; undefined where it means nothing (no leader to cut off). */
  resolve(plan: Plan, view: EnsembleView): Fault | undefined;
}

/** The size of the smallest majority. */
export function majorityOf(servers: number): number {
  return Math.floor(servers / 2) + 1;
}

/** The servers from position `first`, in a circle. */
export function rotated(servers: readonly ServerName[], first: number): readonly ServerName[] {
  return servers.map((_, i) => servers[(i + first) % servers.length]!);
}

/** The servers that a target names: "leader", "one", "minority", "majority" or "all", counted from position `first`. */
export function targets(target: Json, first: Json, view: EnsembleView): readonly ServerName[] {
  const circle = rotated(view.servers, typeof first === "number" ? first : 0);
  switch (target) {
    case "leader":
      return view.leader === undefined ? [] : [view.leader];
    case "one":
      return circle.slice(0, 1);
    case "majority":
      return circle.slice(0, majorityOf(circle.length));
    case "all":
      return circle;
    default:
      return [];
  }
}
