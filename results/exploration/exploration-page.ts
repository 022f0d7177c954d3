import {
  describeBounds,
  worst,
  type ExplorationResult,
  type SpaceTime,
  type Verdict,
} from "../../checkers/index.ts";
import { isMeasuring, type Event } from "../../model/index.ts";
import { markup, type Html } from "../report/html.ts";
import { badge, renderPage, type Section } from "../report/page.ts";
import { verdictList } from "../report/verdicts.ts";
import { drawSpaceTime } from "./diagram.ts";
import { stepDataOf } from "./step-data.ts";
import { stepThrough } from "./step-script.ts";
import { explorationStyle } from "./style.ts";

/** What is kept of an exploration. */
export interface KeptExploration {
  readonly result: ExplorationResult;
  /** The counterexample's picture; null where there is none. */
  readonly spaceTime: SpaceTime | null;
  /** Of each step of the counterexample, where the model has words for it. */
  readonly words?: readonly (string | null)[];
  /** The greatest values of the model's measures. */
  readonly measures?: readonly { readonly name: string; readonly most: number; readonly greatest: number }[];
  /** Histories that break a promise of the model, or show a known anomaly. */
  readonly histories?: readonly KeptHistory[];
  /** The command that repeats it. */
  readonly command: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

export interface KeptHistory {
  readonly property: string;
  readonly kind: "violation" | "anomaly";
  readonly anomaly: string | null;
  readonly events: readonly Event[];
}

/** The report of an exploration: verdicts, the counterexample as a space-time diagram, coverage. */
export function explorationPage(kept: KeptExploration): string {
  const { result, spaceTime, words = [], histories = [], command, startedAt } = kept;
  const { verdicts, counterexample } = result;
  const number = (value: number): string => value.toLocaleString("en");
  const pictured = counterexample !== null && spaceTime !== null;
  const sections: Section[] = [
    { id: "verdicts", title: "Verdicts", body: verdictsBody(verdicts) },
    ...(pictured
      ? [
          {
            id: "counterexample",
            title: "Counterexample",
            note: `${counterexample.property}, ${counterexample.length} states`,
            body: counterexampleBody(spaceTime, counterexample, words),
          },
        ]
      : []),
    ...histories.map((history, index) => ({
      id: `history-${index}`,
      title:
        history.kind === "violation"
          ? `A history that breaks ${history.property}`
          : `A history that shows ${history.anomaly ?? "an anomaly"}`,
      note: "as clients saw it",
      body: historyBody(history),
    })),
    { id: "coverage", title: "Coverage", note: "successors by action", body: coverage(kept) },
    { id: "again", title: "How to run it again", body: markup`<pre>${command}</pre>` },
  ];
  return renderPage({
    title: `the model ${result.model}${result.variant === null ? "" : `, variant ${result.variant}`}`,
    subtitle: `${result.mode} · ${startedAt.replace("T", " ").replace(/\.\d+Z$/, " UTC")} · ${result.workers} worker${result.workers === 1 ? "" : "s"}`,
    outcome: worst(verdicts.map(({ verdict }) => verdict)),
    lead: markup`${number(result.distinct)} distinct states of ${number(result.generated)} generated, depth ${result.depth},
      in ${result.seconds.toFixed(1)} s; bounds: ${describeBounds(result)}.
      ${result.ending === "complete" ? "All was explored." : "Not all was explored."}
      The probability that a state was missed because two have one fingerprint is below ${result.collisionProbability.toExponential(0)}.`,
    sections,
    style: explorationStyle,
    ...(pictured
      ? { data: { "steps-data": stepDataOf(spaceTime.lanes, counterexample, words) }, scripts: [stepThrough] }
      : {}),
  });
}

/** What an exploration that ended early did not decide is told in one line. */
function verdictsBody(verdicts: readonly Verdict[]): Html {
  const open = verdicts.filter(({ verdict }) => verdict === "unknown");
  const [first] = open;
  if (first === undefined || open.length < 3 || open.some(({ detail }) => detail !== first.detail)) {
    return verdictList(verdicts, () => undefined);
  }
  const told = verdicts.filter((verdict) => !open.includes(verdict));
  return markup`${verdictList(told, () => undefined)}
    <div class="verdict">
      <div>${badge("unknown")}</div>
      <div class="wide">${open.map(({ name }) => name).join(", ")}: ${first.detail}.</div>
    </div>`;
}

function counterexampleBody(
  spaceTime: SpaceTime,
  counterexample: NonNullable<ExplorationResult["counterexample"]>,
  words: readonly (string | null)[],
): Html {
  const told = words.some((each) => each !== null)
    ? markup`<ol class="told">${words.map((each, index) => markup`<li>${each ?? counterexample.steps[index]?.action ?? ""}</li>`)}</ol>`
    : "";
  return markup`${told}<div class="tools">
      <button id="back" type="button">◂ back</button><button id="forward" type="button">forward ▸</button>
      <span class="note">arrow keys step, Home and End go to the ends</span>
      <span class="span" id="where"></span>
    </div>
    <div class="explored">
      <ol id="steps">
        <li data-step="0"><button type="button">the initial state</button></li>
        ${counterexample.steps.map(
          ({ action, parameters, fault }, index) =>
            markup`<li data-step="${index + 1}"><button type="button"${fault ? markup` class="fault"` : ""}><b>${index + 1}</b> ${action}<span>${parameters.map(plain).join(", ")}</span></button></li>`,
        )}
      </ol>
      <div class="lanes">${drawSpaceTime(spaceTime, counterexample)}</div>
      <div id="state" aria-live="polite"></div>
    </div>
    <div class="legend">
      <span><i style="--swatch: var(--read)"></i>message received</span>
      <span><i style="--swatch: var(--fault)"></i>under way at the end</span>
      <span><i style="--swatch: var(--kill)"></i>fault, message lost</span>
      <span><i style="--swatch: var(--unknown-well)"></i>changed by this step</span>
    </div>`;
}

function plain(parameter: unknown): string {
  const id = (parameter as { readonly "#id"?: string } | null)?.["#id"];
  return id ?? JSON.stringify(parameter);
}

/** A history as the operations of its clients. */
function historyBody({ events }: KeptHistory): Html {
  return markup`<div class="scroll"><table class="coverage">
      <tr><th>process</th><th></th><th>operation</th><th></th><th>zxid</th><th>server</th></tr>
      ${events.map(
        ({ process, type, f, value, zxid, server }) => markup`<tr>
          <td class="short">${process}</td><td class="short">${type}</td><td class="short">${f}</td>
          <td>${plainFields(value)}</td><td class="short">${zxid === undefined ? "" : `0x${zxid.toString(16)}`}</td><td class="short">${server ?? ""}</td></tr>`,
      )}
    </table></div>`;
}

/** The fields that are no records themselves. */
function plainFields(value: Event["value"]): string {
  const fields = Object.entries(typeof value === "object" && value !== null ? value : { value });
  return fields
    .filter(([, field]) => typeof field !== "object" || field === null)
    .map(([name, field]) => `${name} ${JSON.stringify(field)}`)
    .join(", ");
}

function coverage({ result, measures = [] }: KeptExploration): Html {
  const { actions, notJudged } = result;
  const witnesses = result.witnesses.filter(({ name }) => !isMeasuring(measures, name));
  const most = Math.max(1, ...actions.map(({ generated }) => generated));
  return markup`<div class="scroll"><table class="coverage">
      <tr><th>action</th><th class="number">generated</th><th class="number">new</th><th></th></tr>
      ${actions.map(
        ({ name, generated, distinct, fault }) => markup`<tr class="${generated === 0 ? "never" : ""}">
          <td class="short">${name}${fault ? markup` <span class="badge plain">fault</span>` : ""}</td>
          <td class="number">${generated.toLocaleString("en")}</td><td class="number">${distinct.toLocaleString("en")}</td>
          <td class="bar">${generated === 0 ? "never enabled" : markup`<i style="width: ${((100 * generated) / most).toFixed(1)}%"></i>`}</td></tr>`,
      )}
    </table></div>
    ${
      witnesses.length === 0
        ? ""
        : markup`<p class="witnesses">${witnesses.map(
            ({ name, seen }) =>
              markup`<span class="badge ${seen ? "holds" : "unknown"}">${name}: ${seen ? "seen" : "not seen"}</span> `,
          )}</p>`
    }
    ${measures.map(({ name, greatest }) => markup`<p class="note">${name}: ${greatest} at most${result.ending === "complete" ? "" : ", in what was explored"}.</p>`)}
    ${notJudged.map(({ name, reason }) => markup`<p class="note">${name} was not judged: ${reason}.</p>`)}`;
}
