import type { FailureGroup, GoneFailure, NightSummary } from "../../results/index.ts";
import type { Job } from "./job.ts";
import type { JobResult } from "./journal.ts";

interface Failure {
  readonly property: string;
  readonly verdict: "violated" | "unknown";
  readonly summary: string;
  readonly job: Job;
  readonly result: JobResult;
}

/** The failures of a night, those together that are the same by what was violated and where; the worst and newest first. */
export function failuresOf(
  jobs: readonly Job[],
  results: ReadonlyMap<string, JobResult>,
  startedAt: string,
  before: NightSummary | undefined,
): readonly FailureGroup[] {
  const groups = new Map<string, Failure[]>();
  for (const job of jobs) {
    const result = results.get(job.id);
    for (const failure of result === undefined ? [] : failuresOfJob(job, result)) {
      const key = keyOf(failure.property, whereOf(job));
      groups.set(key, [...(groups.get(key) ?? []), failure]);
    }
  }
  const order = (group: FailureGroup): number =>
    (group.verdict === "violated" ? 0 : 2) + (group.isNew ? 0 : 1);
  return [...groups]
    .map(([key, failures]) => groupOf(key, failures, startedAt, before))
    .toSorted((a, b) => order(a) - order(b) || b.jobs.length - a.jobs.length);
}

function failuresOfJob(job: Job, result: JobResult): readonly Failure[] {
  const properties = result.failed.map(({ name, verdict, summary }) => ({
    ...{ property: name, verdict, summary },
    ...{ job, result },
  }));
  if (result.status === "done") return properties;
  const how = result.detail === "" ? result.status : `${result.status}: ${result.detail}`;
  return [...properties, { property: result.status, verdict: "unknown", summary: how, job, result }];
}

/** Seeds and faults are not part of it: the same defect shows under several. */
function whereOf({ subject }: Job): string {
  return subject.kind === "exploration" ? `the model ${subject.name}` : `${subject.name} on ${subject.where}`;
}

function keyOf(property: string, where: string): string {
  return `${property} | ${where}`;
}

function groupOf(
  key: string,
  failures: readonly Failure[],
  startedAt: string,
  before: NightSummary | undefined,
): FailureGroup {
  const worst = failures.find(({ verdict }) => verdict === "violated") ?? failures[0]!;
  const known = before?.failures.find((group) => group.key === key);
  return {
    key,
    property: worst.property,
    where: whereOf(worst.job),
    verdict: worst.verdict,
    summary: worst.summary,
    since: known?.since ?? startedAt,
    isNew: known === undefined,
    jobs: failures.map(({ job, result }) => ({
      id: job.id,
      faults: job.subject.faults,
      seed: job.subject.seed,
      directory: result.directory,
      command: result.command,
    })),
  };
}

/** Failures of the night before that this one has looked for and not found. */
export function goneSince(
  before: NightSummary | undefined,
  failures: readonly FailureGroup[],
  jobs: readonly Job[],
  results: ReadonlyMap<string, JobResult>,
): readonly GoneFailure[] {
  const looked = new Set(jobs.filter(({ id }) => results.get(id)?.status === "done").map(whereOf));
  return (before?.failures ?? [])
    .filter(({ key, where }) => looked.has(where) && !failures.some((group) => group.key === key))
    .map(({ key, property, where, since }) => ({ key, property, where, since }));
}
