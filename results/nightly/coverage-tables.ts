import { count } from "../report/charts.ts";
import { markup, type Html } from "../report/html.ts";
import type { Coverage, CoverageCell, CoverageFigures } from "./summary.ts";

/** What a night exercised: faults by workload, and what servers and clients went through. */
export function coverageTables({ cells, figures }: Coverage): Html {
  if (figures.length === 0) return markup`<p>No run came to its verdicts.</p>`;
  return markup`${matrix(cells)}${experiences(figures)}`;
}

/** Workloads by faults: how many of the faults that were applied had an effect. */
function matrix(cells: readonly CoverageCell[]): Html {
  if (cells.length === 0) return markup`<p>No fault was scheduled.</p>`;
  const faults = [...new Set(cells.map(({ fault }) => fault))].toSorted();
  const workloads = [...new Set(cells.map(({ workload }) => workload))].toSorted();
  return markup`<h3>Faults with an effect, of those applied</h3>
    <div class="scroll">
      <table class="matrix">
        <thead>
          <tr>
            <th></th>
            ${faults.map((fault) => markup`<th class="fault">${fault}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${workloads.map(
            (workload) =>
              markup`<tr>
                <td class="short">${workload}</td>
                ${faults.map((fault) => cell(cells.find((each) => each.workload === workload && each.fault === fault)))}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>`;
}

function cell(found: CoverageCell | undefined): Html {
  if (found === undefined) return markup`<td class="cell"></td>`;
  const { applied, effective, runs } = found;
  const shade = effective === 0 ? "none" : effective === applied ? "full" : "some";
  return markup`<td class="cell ${shade}" title="${runs} ${runs === 1 ? "run" : "runs"}">
    ${effective}/${applied}
  </td>`;
}

const columns: readonly {
  readonly title: string;
  readonly of: (figures: CoverageFigures) => number;
}[] = [
  { title: "runs", of: ({ runs }) => runs },
  { title: "operations", of: ({ operations }) => operations },
  { title: "unanswered", of: ({ unanswered }) => unanswered },
  { title: "elections", of: ({ elections }) => elections },
  { title: "deposed leaders", of: ({ deposedLeaders }) => deposedLeaders },
  { title: "DIFF", of: ({ synchronizations }) => synchronizations.DIFF },
  { title: "TRUNC", of: ({ synchronizations }) => synchronizations.TRUNC },
  { title: "SNAP", of: ({ synchronizations }) => synchronizations.SNAP },
  { title: "disconnections", of: ({ disconnections }) => disconnections },
  { title: "moved sessions", of: ({ movedSessions }) => movedSessions },
  { title: "expired", of: ({ expiredSessions }) => expiredSessions },
  { title: "stale reads", of: ({ staleReads }) => staleReads },
  { title: "most in flight", of: ({ operationsInFlight }) => operationsInFlight },
  { title: "most watches", of: ({ watchesPending }) => watchesPending },
];

function experiences(figures: readonly CoverageFigures[]): Html {
  return markup`<h3>What servers and clients went through</h3>
    <div class="scroll">
      <table class="experiences">
        <thead>
          <tr>
            <th>workload</th>
            <th>on</th>
            ${columns.map(({ title }) => markup`<th class="number">${title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${figures.map(
            (each) =>
              markup`<tr>
                <td class="short">${each.workload}</td>
                <td class="short">${each.where}</td>
                ${columns.map(({ of }) => markup`<td class="number">${count(of(each))}</td>`)}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    <p class="note">In flight and watches: operations without an answer, and watches that had not fired, at the moment of a fault.</p>`;
}
