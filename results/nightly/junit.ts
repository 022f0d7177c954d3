import { markup, type Html } from "../report/html.ts";
import { headline } from "./summary-words.ts";
import type { JobSummary, NightSummary } from "./summary.ts";

/** By another name, under which the formatter does not lay it out as HTML. */
const xml = markup;

/**
 * A night as JUnit XML, as CI systems read it: a test case for each job. A violation is a failure, what could not be
 * decided an error, what was not run skipped. (The escapes of `markup` are XML's as well.)
 */
export function junitOf(summary: NightSummary): string {
  const { jobs, plan, startedAt } = summary;
  const suites = new Map<string, JobSummary[]>();
  for (const job of jobs) {
    const suite = `${job.subject.name} on ${job.subject.where}`;
    suites.set(suite, [...(suites.get(suite) ?? []), job]);
  }
  const seconds = jobs.reduce((sum, job) => sum + job.seconds, 0);
  const document = xml`<testsuites name="zabcheck nightly ${plan}" ${totals(jobs)} time="${seconds.toFixed(3)}">
${[...suites].map(
  ([name, cases]) =>
    xml`  <testsuite name="${name}" ${totals(cases)} time="${total(cases)}" timestamp="${startedAt.slice(0, 19)}">
${cases.map((job) => testcase(job, name))}  </testsuite>
`,
)}  <system-out>${headline(summary)}</system-out>
</testsuites>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${allowed(document.text)}\n`;
}

function totals(jobs: readonly JobSummary[]): Html {
  const of = (isCounted: (job: JobSummary) => boolean): number => jobs.filter(isCounted).length;
  const failures = of(({ verdict }) => verdict === "violated");
  const skipped = of(({ status }) => status === "not run");
  const errors = of(({ verdict, status }) => verdict === "unknown" && status !== "not run");
  return xml`tests="${jobs.length}" failures="${failures}" errors="${errors}" skipped="${skipped}"`;
}

function total(jobs: readonly JobSummary[]): string {
  return jobs.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(3);
}

function testcase(job: JobSummary, suite: string): Html {
  const seconds = job.seconds.toFixed(3);
  return xml`    <testcase name="${job.id}" classname="${suite}" time="${seconds}">${outcome(job)}</testcase>
`;
}

function outcome({ status, verdict, detail, failed, command }: JobSummary): Html {
  if (verdict === "holds") return xml``;
  if (status === "not run") return xml`<skipped message="${detail}" />`;
  const [first] = failed;
  const message = first === undefined ? `${status}: ${detail}` : `${first.name}: ${first.summary}`;
  const lines = failed.map(({ name, verdict: each, summary }) => `${name} (${each}): ${summary}`);
  const text = [...lines, ...(status === "done" ? [] : [`${status}: ${detail}`]), `again: ${command}`];
  return verdict === "violated"
    ? xml`<failure type="${first?.name ?? "violated"}" message="${message}">${text.join("\n")}</failure>`
    : xml`<error type="${first?.name ?? status}" message="${message}">${text.join("\n")}</error>`;
}

/** Without the characters that no XML document may hold, whatever a server's message holds. */
function allowed(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "�");
}
