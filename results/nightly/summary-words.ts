import type { NightSummary } from "./summary.ts";

/** Sentences that every form of a summary says alike. */

/** "17 of 20 jobs hold, 1 violated, 2 unknown". */
export function countsOf({ jobs }: NightSummary): string {
  const of = (verdict: string): number => jobs.filter((job) => job.verdict === verdict).length;
  const [violated, unknown] = [of("violated"), of("unknown")];
  return [
    `${of("holds")} of ${jobs.length} ${jobs.length === 1 ? "job holds" : "jobs hold"}`,
    ...(violated === 0 ? [] : [`${violated} violated`]),
    ...(unknown === 0 ? [] : [`${unknown} unknown`]),
  ].join(", ");
}

export function headline(summary: NightSummary): string {
  const { failures, comparedWith, gone } = summary;
  const fresh = failures.filter(({ isNew }) => isNew).length;
  const news =
    comparedWith === null || fresh + gone.length === 0
      ? ""
      : `; ${fresh} ${fresh === 1 ? "failure is" : "failures are"} new, ${gone.length} gone since the night before`;
  return `${countsOf(summary)}${news}.`;
}

/** Why a night did not do all of its jobs; "" for one that did. */
export function endingSentence({ ending, jobs }: NightSummary): string {
  const left = jobs.filter(({ status }) => status === "not run").length;
  const jobsLeft = `${left} ${left === 1 ? "job was" : "jobs were"} not run`;
  switch (ending) {
    case "finished":
      return "";
    case "out of time":
      return ` The plan's time was up: ${jobsLeft}.`;
    case "ended early":
      return ` It was ended early: ${jobsLeft}; the same command goes on.`;
    case "the disk is full":
      return ` The disk is full: ${jobsLeft}; once there is room the same command goes on.`;
  }
}
