import type { Verdict, Violation } from "../../checkers/index.ts";
import type { Event } from "../../model/index.ts";
import { count } from "./charts.ts";
import { markup, type Html } from "./html.ts";
import { badge } from "./page.ts";
import { brief, result } from "./timeline-data.ts";

/** The events of a violation that a page shows; what is left out is said. */
const eventsMax = 60;

/** Verdicts, the worst first, violations with the events involved. `positionOf` finds an event's operation in the timeline. */
export function verdictList(
  verdicts: readonly Verdict[],
  positionOf: (event: Event) => number | undefined,
): Html {
  const order = ["violated", "unknown", "holds"];
  const sorted = verdicts.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return markup`${sorted.map(
    (verdict) =>
      markup`<div class="verdict">
        <div>${badge(verdict.verdict)}</div>
        <div class="name">
          ${verdict.name}${verdict.vacuous === true ? markup` <span class="badge plain" title="nothing in the history exercised it">vacuous</span>` : ""}
        </div>
        <div class="what">
          ${verdict.detail}${counts(verdict)}${verdict.violation === undefined ? "" : violation(verdict.violation, positionOf)}${evidence(verdict)}
        </div>
      </div> `,
  )}`;
}

function counts({ counts: figures }: Verdict): Html | undefined {
  const entries = Object.entries(figures ?? {});
  if (entries.length === 0) return undefined;
  return markup`<div class="counts">
    ${entries.map(([name, value]) => markup`<span>${words(name)} <b>${number(value)}</b></span> `)}
  </div>`;
}

function violation(
  { summary, events, earliest }: Violation,
  positionOf: (event: Event) => number | undefined,
): Html {
  const shown = events.slice(0, eventsMax);
  return markup`<div class="violation">
    <p><b>${summary}</b></p>
    ${
      events.length === 0
        ? ""
        : markup`<div class="scroll">
            <table>
              <thead>
                <tr>
                  <th>#</th>
                  <th class="number">event</th>
                  <th class="number">time</th>
                  <th>process</th>
                  <th>type</th>
                  <th>operation</th>
                  <th>value</th>
                  <th>server</th>
                  <th class="number">zxid</th>
                </tr>
              </thead>
              <tbody>
                ${shown.map((event) => row(event, event.index === earliest?.index, positionOf(event)))}
              </tbody>
            </table>
          </div>`
    }${events.length > shown.length ? markup`<p class="note">and ${events.length - shown.length} more, in manifest.json</p>` : ""}
  </div>`;
}

function row(event: Event, earliest: boolean, position: number | undefined): Html {
  const value = event.type === "ok" ? result(event.value) : brief(event.value);
  const told = event.error === undefined ? value : `${event.error}; ${value}`;
  return markup`<tr${earliest ? markup` class="earliest"` : ""}${position === undefined ? "" : markup` data-operation="${position}" title="show in the timeline"`}><td>${earliest ? "▸" : ""}</td><td class="number">${event.index}</td><td class="number">${(event.time / 1e9).toFixed(6)} s</td><td>${event.process}</td><td>${event.type}</td><td>${event.f}</td><td class="value mono">${told}</td><td>${event.server ?? ""}</td><td class="number mono">${event.zxid === undefined ? "" : `0x${event.zxid.toString(16)}`}</td></tr>
`;
}

function evidence({ evidence: more }: Verdict): Html | undefined {
  if (more === undefined) return undefined;
  return markup`<details>
    <summary>more evidence</summary>
    <pre>${JSON.stringify(more, null, 2).slice(0, 100_000)}</pre>
  </details>`;
}

/** "staleReads" and "stale-reads" are "stale reads". */
function words(name: string): string {
  return name
    .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll(/[-_]/g, " ")
    .toLowerCase();
}

function number(value: number): string {
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4)));
}
