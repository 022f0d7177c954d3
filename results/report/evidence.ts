import { effectNames, type FaultEvidence, type RunEvidence } from "../store/run-evidence.ts";
import { count } from "./charts.ts";
import { markup, type Html } from "./html.ts";
import type { Section } from "./page.ts";

/** What a run has exercised, and what each of its faults met. */
export function evidenceSection(evidence: RunEvidence): Section {
  const { faults } = evidence;
  const applied = faults.filter(({ outcome }) => outcome === "applied").length;
  return {
    id: "exercised",
    title: "What it exercised",
    note: faults.length === 0 ? "no faults" : `${applied} of ${faults.length} faults were applied`,
    body: markup`${figures(evidence)}${(evidence.knownDefects ?? []).map((defect) => markup`<p><b>Known defect</b> ${defect}.</p>`)}${faults.length === 0 ? "" : table(faults)}`,
  };
}

function figures(evidence: RunEvidence): Html {
  const { elections, deposedLeaders, synchronizations, staleReads, staleSyncedReads } = evidence;
  const entries: readonly (readonly [string, number | null])[] = [
    ["elections", elections],
    ["deposed leaders", deposedLeaders],
    ["by DIFF", synchronizations?.DIFF ?? null],
    ["by TRUNC", synchronizations?.TRUNC ?? null],
    ["by SNAP", synchronizations?.SNAP ?? null],
    ["disconnections", evidence.disconnections],
    ["moved sessions", evidence.movedSessions],
    ["expired sessions", evidence.expiredSessions],
    ["unanswered operations", evidence.unanswered],
    ["stale reads", staleReads],
    ["stale reads after a sync", staleSyncedReads],
  ];
  return markup`<div class="counts">
    ${entries.map(([name, value]) => markup`<span>${name} <b>${value === null ? "not known" : count(value)}</b></span> `)}
  </div>`;
}

function table(faults: readonly FaultEvidence[]): Html {
  return markup`<div class="scroll tall">
    <table>
      <thead>
        <tr>
          <th class="number"></th>
          <th>fault</th>
          <th class="number">operations in flight</th>
          <th class="number">watches pending</th>
          <th>while it was in force, or a little later</th>
        </tr>
      </thead>
      <tbody>
        ${faults.map(row)}
      </tbody>
    </table>
  </div>`;
}

function row(fault: FaultEvidence): Html {
  return markup`<tr>
    <td class="number">${fault.id}</td>
    <td>${fault.label}</td>
    <td class="number">${count(fault.operationsInFlight)}</td>
    <td class="number">${count(fault.watchesPending)}</td>
    <td>${effects(fault)}</td>
  </tr>`;
}

function effects({ outcome, effects: seen }: FaultEvidence): Html {
  if (outcome !== "applied") return markup`<span class="badge unknown">${outcome}</span>`;
  const named = effectNames.flatMap((name) => {
    const value = seen[name];
    return value === undefined ? [] : [`${name} ${count(value)}`];
  });
  if (named.length === 0) return markup`<span class="badge unknown">no effect was seen</span>`;
  return markup`${named.join(", ")}`;
}
