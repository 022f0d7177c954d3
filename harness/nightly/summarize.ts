import { worst } from "../../checkers/index.ts";
import { nightsOf, readSummary, type JobSummary, type NightSummary } from "../../results/index.ts";
import { quoted } from "../command-line.ts";
import { version } from "../version.ts";
import { coverageOf } from "./coverage.ts";
import { failuresOf, goneSince } from "./failures.ts";
import type { Night } from "./night.ts";
import type { NightOutcome } from "./supervisor.ts";

/** What a night came to, compared with the nights before it. */
export function summarize(
  night: Night,
  outcome: NightOutcome,
  earlier: readonly NightSummary[],
  planWord: string,
): NightSummary {
  const { jobs, startedAt, name, seed } = night;
  const { results, starts, ending } = outcome;
  const before = earlier.at(-1);
  const failures = failuresOf(jobs, results, startedAt, before);
  const summaries = jobs.flatMap(({ id, subject }): readonly JobSummary[] => {
    const result = results.get(id);
    if (result === undefined) return [];
    const { evidence: _, ...rest } = result;
    return [{ id, subject, ...rest, starts: starts.get(id) ?? 0 }];
  });
  return {
    format: "zabcheck-night-summary",
    formatVersion: 1,
    zabcheck: version(),
    plan: name,
    seed,
    startedAt,
    endedAt: new Date().toISOString(),
    ending,
    verdict: worst(summaries.map(({ verdict }) => verdict)),
    failures,
    gone: goneSince(before, failures, jobs, results),
    comparedWith: before?.startedAt ?? null,
    jobs: summaries,
    coverage: coverageOf(jobs, results, earlier),
    command: `zabcheck nightly ${quoted(planWord)} --fresh --seed ${seed}`,
  };
}

/** The summaries of the nights before one, the oldest first. Nights that have none, or one that cannot be read, tell nothing. */
export function earlierSummaries(
  results: string,
  night: Night,
  note: (line: string) => void,
): readonly NightSummary[] {
  return nightsOf(results, night.name)
    .filter((directory) => directory !== night.directory)
    .flatMap((directory) => {
      try {
        const summary = readSummary(directory);
        return summary === undefined || summary.startedAt >= night.startedAt ? [] : [summary];
      } catch (error) {
        note(`${directory} is not compared with: ${error instanceof Error ? error.message : String(error)}`);
        return [];
      }
    });
}
