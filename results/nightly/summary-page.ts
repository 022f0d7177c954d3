import { count } from "../report/charts.ts";
import { markup, type Html, type Part } from "../report/html.ts";
import { badge, renderPage, type Section } from "../report/page.ts";
import { runFiles } from "../store/run-directory.ts";
import { coverageTables } from "./coverage-tables.ts";
import { nightFiles } from "./night-directory.ts";
import { countsOf, endingSentence, headline } from "./summary-words.ts";
import type { FailureGroup, GoneFailure, JobSummary, NightSummary } from "./summary.ts";

/** Jobs of a group that are shown at once. */
const jobsShown = 5;

/** The page of a night: one self-contained file; its links lead to the runs' reports beside it. */
export function summaryPage(summary: NightSummary): string {
  const { plan, seed, startedAt, zabcheck, verdict } = summary;
  const violated = summary.failures.filter((group) => group.verdict === "violated");
  const unknown = summary.failures.filter((group) => group.verdict === "unknown");
  const sections: readonly (Section | undefined)[] = [
    violated.length === 0
      ? undefined
      : { id: "violated", title: "What broke", body: markup`${violated.map(failure)}` },
    unknown.length === 0
      ? undefined
      : { id: "unknown", title: "What could not be decided", body: markup`${unknown.map(failure)}` },
    changes(summary),
    exercised(summary),
    never(summary),
    { id: "jobs", title: "Every job", note: countsOf(summary), body: table(summary.jobs) },
    { id: "again", title: "How to carry it out again", body: markup`<pre>${summary.command}</pre>` },
  ];
  return renderPage({
    title: `nightly ${plan}`,
    subtitle: `${startedAt.replace("T", " ").replace(/\.\d+Z$/, " UTC")} · seed ${seed} · zabcheck ${zabcheck}`,
    outcome: verdict,
    lead: markup`${headline(summary)}${endingSentence(summary)}`,
    sections: sections.filter((section) => section !== undefined),
    style,
  });
}

const style = `
.failure { border-top: 1px solid var(--line); padding: 12px 0; }
.failure:first-of-type { border-top: 0; padding-top: 0; }
.failure .what { display: flex; gap: 10px; align-items: baseline; flex-wrap: wrap; }
.failure .what b { overflow-wrap: anywhere; }
.failure .since { color: var(--faint); font-size: 13px; }
.badge.new { color: var(--card); background: var(--ink); }
.failure p { margin: 6px 0; overflow-wrap: anywhere; }
.failure table td { overflow-wrap: anywhere; }
td.cell { text-align: center; font-variant-numeric: tabular-nums; min-width: 34px; }
td.cell.full { background: var(--holds-well); color: var(--holds); }
td.cell.some { background: var(--unknown-well); color: var(--unknown); }
td.cell.none { background: var(--violated-well); color: var(--violated); }
table.matrix { width: auto; }
table.experiences th { white-space: normal; vertical-align: bottom; }
th.fault { font-size: 12px; padding-right: 8px; }
ul { margin: 0; padding-left: 20px; } li { margin: 2px 0; overflow-wrap: anywhere; }
h3 { font-size: 13.5px; font-weight: 600; margin: 16px 0 4px; }
`;

function failure(group: FailureGroup): Html {
  const [first, rest] = [group.jobs.slice(0, jobsShown), group.jobs.slice(jobsShown)];
  return markup`<div class="failure">
    <div class="what">
      ${badge(group.verdict)}${group.isNew ? markup`<span class="badge new">new</span>` : ""}
      <b>${group.property}</b><span>${group.where}</span>
      <span class="since"
        >${group.isNew ? "" : `since the night of ${day(group.since)}, `}${group.jobs.length}
        ${group.jobs.length === 1 ? "job" : "jobs"}</span
      >
    </div>
    <p>${group.summary}</p>
    ${commands(first)}
    ${
      rest.length === 0
        ? ""
        : markup`<details><summary>and ${rest.length} more</summary>${commands(rest)}</details>`
    }
  </div> `;
}

function commands(jobs: FailureGroup["jobs"]): Html {
  return markup`<div class="scroll">
    <table>
      ${jobs.map(
        ({ directory, command, faults, seed }) =>
          markup`<tr>
            <td class="short">${seed === null ? "" : `seed ${seed}`}${faults === "" ? "" : `, ${faults}`}</td>
            <td class="short">${directory === null ? "" : report(directory)}</td>
            <td class="mono">${command}</td>
          </tr> `,
      )}
    </table>
  </div>`;
}

/** Names of runs come from tables and numbers, and are put into the link as what they are: a path below the page. */
function report(directory: string): Html {
  const path = `${directory}/${runFiles.report}`.split("/").map(encodeURIComponent).join("/");
  return markup`<a href="${path}">report</a>`;
}

function changes({ comparedWith, failures, gone }: NightSummary): Section {
  const fresh = failures.filter(({ isNew }) => isNew);
  if (comparedWith === null) {
    const body = markup`<p>There is no night before this one to compare with.</p>`;
    return { id: "changes", title: "Since the night before", body };
  }
  const same = failures.length - fresh.length;
  return {
    id: "changes",
    title: "Since the night before",
    note: day(comparedWith),
    body: markup`<p>
        ${fresh.length} new ${fresh.length === 1 ? "failure" : "failures"}, ${same} that
        ${same === 1 ? "was" : "were"} there before, ${gone.length} gone.
      </p>
      ${list(fresh.map((group) => markup`new: <b>${group.property}</b>, ${group.where}`))}
      ${list(gone.map(goneLine))}`,
  };
}

function goneLine({ property, where, since }: GoneFailure): Html {
  return markup`gone: <b>${property}</b>, ${where} (seen since ${day(since)})`;
}

function exercised({ coverage }: NightSummary): Section {
  return {
    id: "exercised",
    title: "What it exercised",
    note: "of runs that came to their verdicts",
    body: coverageTables(coverage),
  };
}

function never({ coverage }: NightSummary): Section | undefined {
  const { never: missing, unplanned } = coverage;
  if (missing.length + unplanned.length === 0) return undefined;
  return {
    id: "never",
    title: "What no night has exercised yet",
    body: markup`${list(missing.map((words) => markup`${words}`))}
    ${unplanned.length === 0 ? "" : markup`<p class="note">The plan does not ask for ${unplanned.join(", ")}.</p>`}`,
  };
}

function list(items: readonly Part[]): Html {
  return items.length === 0 ? markup`` : markup`<ul>${items.map((item) => markup`<li>${item}</li>`)}</ul>`;
}

function table(jobs: readonly JobSummary[]): Html {
  const order = ["violated", "unknown", "holds"];
  const sorted = jobs.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return markup`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>verdict</th>
          <th>job</th>
          <th>on</th>
          <th>faults</th>
          <th class="number">seed</th>
          <th class="number">operations</th>
          <th class="number">seconds</th>
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${sorted.map(row)}
      </tbody>
    </table>
  </div>`;
}

function row(job: JobSummary): Html {
  const { subject, verdict, status, detail, directory, seconds, operations } = job;
  const told = status === "done" ? "" : detail === "" || detail === status ? status : `${status}: ${detail}`;
  return markup`<tr>
    <td>${badge(verdict)}</td>
    <td>${subject.name}${told === "" ? "" : markup`<br /><span class="note">${told}</span>`}</td>
    <td class="short">${subject.where}</td>
    <td>${subject.faults}</td>
    <td class="number">${subject.seed ?? ""}</td>
    <td class="number">${subject.kind === "run" ? count(operations) : ""}</td>
    <td class="number">${seconds.toFixed(1)}</td>
    <td class="short">${directory === null ? "" : report(directory)} ${log(job)}</td>
  </tr> `;
}

/** What the job's process said, where it has said anything and something is wrong. */
function log({ id, status }: JobSummary): Html {
  if (status === "done" || status === "not run") return markup``;
  return markup`<a href="${nightFiles.logs}/${encodeURIComponent(`${id}.log`)}">log</a>`;
}

function day(iso: string): string {
  return iso.slice(0, 16).replace("T", " ");
}
