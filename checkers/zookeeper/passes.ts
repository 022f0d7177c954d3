import type { Step } from "./history/steps.ts";

/** What is shown steps, one after the other, and makes up its mind. */
export type See = (step: Step) => void;

/** So many steps, with all that is looked at of them, stay in a processor's cache. */
const blockSteps = 512;

/**
 * Shows the steps to all of them, in their order, block by block, so that what they refer to is fetched into the
 * processor's caches once for all.
 */
export function showSteps(steps: readonly Step[], viewers: readonly See[]): void {
  for (let from = 0; from < steps.length; from += blockSteps) {
    const block = steps.slice(from, from + blockSteps);
    for (const see of viewers) block.forEach(see);
  }
}
