import type { Arbitrary } from "fast-check";
import type { Fault, FaultKind, ServerName } from "../../clusters/index.ts";
import type { Json } from "../../model/index.ts";

/** What a plan is resolved against, at the moment it is applied. */
export interface EnsembleView {
  /** In the ensemble's own order: voters, then observers. */
  readonly servers: readonly ServerName[];
  readonly voters: readonly ServerName[];
  /** Servers that could join. */
  readonly spares: readonly ServerName[];
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
  /** The plans of this family for an ensemble of so many voters and observers; undefined where it makes no sense for that many. */
  plans(voters: number, observers: number): Arbitrary<Plan> | undefined;
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

/**
 * The servers that a plan's `target` names: "leader"; "one" of all, "minority" or "majority" of the voters, "all",
 * counted from position `first`. A minority is the largest that leaves a majority.
 */
export function targets(plan: Plan, view: EnsembleView): readonly ServerName[] {
  const first = numberOf(plan, "first", 0, [0, Number.MAX_SAFE_INTEGER]);
  const voters = rotated(view.voters, first);
  switch (plan["target"]) {
    case "leader":
      return view.leader === undefined ? [] : [view.leader];
    case "one":
      return rotated(view.servers, first).slice(0, 1);
    case "minority":
      return voters.slice(0, voters.length - majorityOf(voters.length));
    case "majority":
      return voters.slice(0, majorityOf(voters.length));
    case "all":
      return rotated(view.servers, first);
    default:
      return [];
  }
}

/** Followers and observers in their order, then the leader, as one restarts an ensemble; undefined while nobody leads. */
export function leaderLast({ servers, leader }: EnsembleView): readonly ServerName[] | undefined {
  return leader === undefined ? undefined : [...servers.filter((server) => server !== leader), leader];
}

/** A number of a plan, brought into its bounds; plans may come from files. */
export function numberOf(
  plan: Plan,
  name: string,
  usual: number,
  [min, max]: readonly [min: number, max: number],
): number {
  const value = plan[name];
  return Math.min(max, Math.max(min, typeof value === "number" && Number.isFinite(value) ? value : usual));
}
