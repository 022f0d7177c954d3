import type { Verdict, Violation } from "../../checkers/index.ts";
import type { Event } from "../../model/index.ts";
import { count } from "./charts.ts";
import { markup, type Html } from "./html.ts";
import { badge } from "./page.ts";
import { brief, result } from "./timeline-data.ts";

/** Summaries that enumerate a whole history are cut. */
const summaryCharactersMax = 600;

/** Where an event's operation stands in the timeline: its position, and the number that marks it there. */
export interface Place {
  readonly position: number;
  readonly number: number | undefined;
}

export type PlaceOf = (event: Event) => Place | undefined;

/** Verdicts, the worst first, violations with the events involved; those that nothing exercised in one line at the end. */
export function verdictList(verdicts: readonly Verdict[], placeOf: PlaceOf): Html {
  const order = ["violated", "unknown", "holds"];
  const told = verdicts.filter(({ vacuous, verdict }) => vacuous !== true || verdict !== "holds");
  const idle = verdicts.filter((verdict) => !told.includes(verdict));
  const sorted = told.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return markup`${sorted.map((verdict) => one(verdict, placeOf))}${
    idle.length === 0
      ? ""
      : markup`<div class="verdict idle">
          <div><span class="badge plain">vacuous</span></div>
          <div class="wide">Nothing in this history exercised ${idle.map(({ name }) => name).join(", ")}.</div>
        </div>`
  }`;
}

function one(verdict: Verdict, placeOf: PlaceOf): Html {
  const { name, detail, violation: found, vacuous } = verdict;
  const repeated = found !== undefined && detail.startsWith(found.summary.slice(0, 60));
  return markup`<div class="verdict ${verdict.verdict}">
    <div>${badge(verdict.verdict)}</div>
    <div class="name">
      ${name}${vacuous === true ? markup` <span class="badge plain">vacuous</span>` : ""}
    </div>
    <div class="what">${repeated ? "" : detail}${counts(verdict)}${evidence(verdict)}</div>
    ${found === undefined ? "" : violation(found, placeOf)}
  </div> `;
}

/** Counts whose being nought is what one expects. */
const usuallyNone: ReadonlySet<string> = new Set(["violations", "violated", "undecided", "failed"]);

/** Counts that the verdict's sentence has told already. */
const toldAlready: ReadonlySet<string> = new Set(["checked", "planned", "applied"]);

function counts({ counts: figures }: Verdict): Html | undefined {
  const entries = Object.entries(figures ?? {}).filter(
    ([name, value]) => !toldAlready.has(name) && (value !== 0 || !usuallyNone.has(name)),
  );
  if (entries.length === 0) return undefined;
  return markup`<div class="counts">
    ${entries.map(([name, value]) => markup`<span>${words(name)} <b>${number(value)}</b></span> `)}
  </div>`;
}

function violation({ summary, events, earliest }: Violation, placeOf: PlaceOf): Html {
  const cut = summary.length <= summaryCharactersMax ? summary : `${summary.slice(0, summaryCharactersMax)}…`;
  return markup`<div class="violation">
    <p><b>${cut}</b></p>
    ${
      events.length === 0
        ? ""
        : markup`<div class="scroll tall">
            <table>
              <thead>
                <tr>
                  <th></th>
                  <th class="number">event</th>
                  <th class="number">time</th>
                  <th class="number">process</th>
                  <th>type</th>
                  <th>operation</th>
                  <th>value</th>
                  <th>server</th>
                  <th class="number">zxid</th>
                </tr>
              </thead>
              <tbody>
                ${events.map((event) => row(event, event.index === earliest?.index, placeOf(event)))}
              </tbody>
            </table>
          </div>`
    }
  </div>`;
}

function row(event: Event, earliest: boolean, place: Place | undefined): Html {
  const value = event.type === "ok" ? result(event.value) : brief(event.value);
  const told = event.error === undefined ? value : `${event.error}; ${value}`;
  const attributes = markup`${earliest ? markup` class="earliest"` : ""}${
    place === undefined ? "" : markup` data-operation="${place.position}" title="show in the timeline"`
  }`;
  const mark = place?.number === undefined ? "" : markup`<span class="mark">${place.number}</span>`;
  return markup`<tr${attributes}>
    <td>${mark}</td>
    <td class="number">${event.index}</td>
    <td class="number">${(event.time / 1e9).toFixed(6)} s</td>
    <td class="number">${event.process}</td>
    <td class="${event.type}">${event.type}</td>
    <td class="short">${event.f}</td>
    <td class="value mono">${told}</td>
    <td class="short">${event.server ?? ""}</td>
    <td class="number mono">${event.zxid === undefined ? "" : `0x${event.zxid.toString(16)}`}</td>
  </tr>`;
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
