import type { Parameters } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import type { Counterexample } from "./counterexample.ts";

/** How often an action was taken. */
export interface ActionCoverage {
  readonly name: string;
  readonly fault: boolean;
  /** Successors that it yielded. */
  readonly generated: number;
  /** Those of them that were new. */
  readonly distinct: number;
}

export interface WitnessCoverage {
  readonly name: string;
  readonly seen: boolean;
}

/** Why an exploration ended: `complete` when nothing was left to explore. */
export type Ending = "complete" | "violation" | "time" | "memory" | "interrupted" | "depth";

/** What an exploration found, counted as TLC counts. */
export interface ExplorationResult {
  readonly model: string;
  readonly parameters: Parameters;
  readonly variant: string | null;
  readonly mode: "breadth-first" | "depth-first" | "simulation";
  readonly symmetry: boolean;
  /** Variables that took no part in the states' identity. */
  readonly view: readonly string[];
  readonly workers: number;
  readonly ending: Ending;
  /** Initial states and every successor, before constraints and deduplication. */
  readonly generated: number;
  readonly distinct: number;
  /** States on the longest shortest path: the initial state is level 1. */
  readonly depth: number;
  readonly seconds: number;
  readonly generatedPerSecond: number;
  /** States found and not expanded, when it ended early. */
  readonly unexpanded: number;
  /** States that differed from others of their level in dead variables alone: the successors were made once for all. */
  readonly alike: number;
  readonly actions: readonly ActionCoverage[];
  readonly witnesses: readonly WitnessCoverage[];
  readonly verdicts: readonly Verdict[];
  readonly counterexample: Counterexample | null;
  /** Properties that were not judged, with the reason: no verdict is given on them. */
  readonly notJudged: readonly { readonly name: string; readonly reason: string }[];
  /** Of a simulation. */
  readonly walks?: { readonly count: number; readonly depthMax: number; readonly seed: number };
  /** An estimate from above that some state was missed because two fingerprints are equal. */
  readonly collisionProbability: number;
  readonly memory: {
    /** Bytes of the visited set and of the parents: what a distinct state costs beyond the frontier. */
    readonly visitedBytes: number;
    readonly frontierBytes: number;
  };
}

/** "servers 3, transactions 2, symmetry" */
export function describeBounds(
  result: Pick<ExplorationResult, "parameters" | "variant" | "symmetry" | "view">,
): string {
  const parameters = Object.entries(result.parameters).map(([name, value]) => `${name} ${String(value)}`);
  const more = [
    ...(result.variant === null ? [] : [`variant ${result.variant}`]),
    ...(result.symmetry ? ["symmetry"] : []),
    ...(result.view.length > 0 ? [`view without ${result.view.join(", ")}`] : []),
  ];
  return [...parameters, ...more].join(", ") || "no parameters";
}
