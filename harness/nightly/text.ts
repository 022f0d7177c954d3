import { join } from "node:path";
import { endingSentence, headline, nightFiles, type NightSummary } from "../../results/index.ts";

/** Failures of a night that are told one by one; the page has them all. */
const groupsShown = 20;

/** A night's summary for people. */
export function summaryLines(summary: NightSummary, directory: string): readonly string[] {
  const { failures, gone, coverage, verdict, plan } = summary;
  const more = failures.length - groupsShown;
  return [
    ...failures
      .slice(0, groupsShown)
      .flatMap(({ verdict: each, property, where, isNew, since, summary: text, jobs }) => [
        `${each === "violated" ? "VIOLATED" : "unknown "}  ${property}, ${where}: ${jobs.length} ${jobs.length === 1 ? "job" : "jobs"}, ${isNew ? "new" : `since ${since.slice(0, 10)}`}`,
        `          ${text}`,
        `          again: ${jobs[0]?.command ?? ""}`,
      ]),
    ...(more > 0 ? [`          and ${more} more`] : []),
    ...gone.map(({ property, where }) => `gone      ${property}, ${where}`),
    ...coverage.never.map((words) => `never yet ${words}`),
    "",
    `${verdict}: nightly ${plan}: ${headline(summary)}${endingSentence(summary)}`,
    `summary: ${join(directory, nightFiles.page)}`,
  ];
}
