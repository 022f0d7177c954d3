import type { Outcome } from "../checkers/index.ts";

/** What the shell is told. A violation dominates an unknown, which dominates a pass. */
export const exitCodes = { holds: 0, violated: 1, unknown: 2, usage: 64, internal: 70 } as const;

export function exitCodeOf(outcome: Outcome): number {
  return exitCodes[outcome];
}
