import { countsOf, endingSentence, headline } from "./summary-words.ts";
import type { FailureGroup, NightSummary } from "./summary.ts";

const mark = { holds: "✅", violated: "❌", unknown: "❔" } as const;
/** Jobs of a group whose commands are shown: the page of a CI job has little room. */
const commandsShown = 2;

/** A night as Markdown, for the page of a CI job. */
export function markdownOf(summary: NightSummary): string {
  const { plan, verdict, failures, gone, coverage, startedAt, seed } = summary;
  return [
    `## ${mark[verdict]} zabcheck nightly ${text(plan)}: ${verdict}`,
    `${headline(summary)}${endingSentence(summary)}`,
    ...failures.map(failure),
    ...(gone.length === 0
      ? []
      : [`**Gone:** ${gone.map(({ property, where }) => `${text(property)} (${text(where)})`).join(", ")}`]),
    ...coverageTable(summary),
    ...(coverage.never.length === 0
      ? []
      : [
          `<details><summary>What no night has exercised yet (${coverage.never.length})</summary>\n\n${coverage.never
            .map((words) => `- ${text(words)}`)
            .join("\n")}\n\n</details>`,
        ]),
    `<sub>${startedAt}, seed ${seed}, ${countsOf(summary)}. Again: ${code(summary.command)}</sub>`,
    "",
  ].join("\n\n");
}

function failure(group: FailureGroup): string {
  const { verdict, property, where, isNew, since, summary, jobs } = group;
  const when = isNew ? "**new**" : `since ${since.slice(0, 10)}`;
  const rest = jobs.length - commandsShown;
  return [
    `### ${mark[verdict]} ${text(property)}: ${text(where)} (${when}, ${jobs.length} ${jobs.length === 1 ? "job" : "jobs"})`,
    text(summary),
    fence(
      [
        ...jobs.slice(0, commandsShown).map(({ command }) => command),
        ...(rest > 0 ? [`# and ${rest} more`] : []),
      ].join("\n"),
    ),
  ].join("\n\n");
}

function coverageTable({ coverage }: NightSummary): readonly string[] {
  const { cells } = coverage;
  if (cells.length === 0) return [];
  const faults = [...new Set(cells.map(({ fault }) => fault))].toSorted();
  const workloads = [...new Set(cells.map(({ workload }) => workload))].toSorted();
  const rows = workloads.map((workload) => {
    const of = faults.map((fault) => {
      const found = cells.find((each) => each.workload === workload && each.fault === fault);
      return found === undefined ? "" : `${found.effective}/${found.applied}`;
    });
    return `| ${text(workload)} | ${of.join(" | ")} |`;
  });
  const table = [
    `| faults with an effect, of those applied | ${faults.map(text).join(" | ")} |`,
    `| --- | ${faults.map(() => "---:").join(" | ")} |`,
    ...rows,
  ];
  return [`<details><summary>What it exercised</summary>\n\n${table.join("\n")}\n\n</details>`];
}

/** Text that Markdown and HTML leave alone, on one line. */
function text(words: string): string {
  return words
    .replaceAll(/\s+/g, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(/[\\`*_[\]|#~]/g, String.raw`\$&`);
}

/** Fenced by more backticks than it holds. */
function fence(content: string): string {
  const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length));
  const ticks = "`".repeat(longest + 1);
  return `${ticks}sh\n${content}\n${ticks}`;
}

function code(content: string): string {
  const longest = Math.max(0, ...[...content.matchAll(/`+/g)].map(([run]) => run.length));
  const ticks = "`".repeat(longest + 1);
  return `${ticks}${content}${ticks}`;
}
