import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { worst, type Verdict } from "../../checkers/index.ts";
import { HistoryDecoder, type Event, type Json } from "../../model/index.ts";
import { isExploration, renderExploration } from "../exploration/store-exploration.ts";
import { readManifest, runFiles, writeAtomically } from "../store/run-directory.ts";
import type { Manifest } from "../store/manifest.ts";
import { charts, count, latencyTable } from "./charts.ts";
import { evidenceSection } from "./evidence.ts";
import { markup, type Html } from "./html.ts";
import { renderPage, type Section } from "./page.ts";
import { faultColour } from "./style.ts";
import { timelineData } from "./timeline-data.ts";
import { drawTimeline } from "./timeline-script.ts";
import { verdictList, type Place } from "./verdicts.ts";

/**
 * Writes a run's report.html from its manifest and history, and returns its path. A run that was cut off has one, too.
 * Throws InputError where the directory holds no run or its history is broken.
 */
export async function renderRun(directory: string): Promise<string> {
  if (isExploration(directory)) return renderExploration(directory);
  const manifest = readManifest(directory);
  const history = join(directory, runFiles.history);
  const { events, torn } = existsSync(history) ? await readHistory(history) : { events: [], torn: false };
  const path = join(directory, runFiles.report);
  writeAtomically(path, runPage(manifest, events, torn));
  return path;
}

/** Reads a history file whole. Throws InputError where a line other than a torn last one is broken. */
export async function readHistory(
  path: string,
): Promise<{ readonly events: readonly Event[]; readonly torn: boolean }> {
  const decoder = new HistoryDecoder({ file: path });
  const events: Event[] = [];
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    for (const event of decoder.write(chunk as Buffer)) events.push(event);
  }
  const last = decoder.end();
  for (const event of last.events) events.push(event);
  return { events, torn: last.torn !== undefined };
}

export function runPage(manifest: Manifest, events: readonly Event[], torn = false): string {
  const { cluster, seed } = manifest;
  const defect = cluster.defect === null ? "" : `, with the seeded defect ${cluster.defect}`;
  return historyPage({
    title: `${manifest.scenario} on ${cluster.version}`,
    subtitle: `seed ${seed} · ${cluster.servers.length} servers · ${manifest.startedAt.replace("T", " ").replace(/\.\d+Z$/, " UTC")} · zabcheck ${manifest.zabcheck}`,
    lead: markup`${bounds(manifest)}${defect}.${ending(manifest, torn)}`,
    verdicts: manifest.verdicts,
    finished: manifest.outcome !== null,
    events,
    ...(manifest.evidence === undefined ? {} : { exercised: evidenceSection(manifest.evidence) }),
    more: [{ id: "run", title: "How to run it again", body: again(manifest) }],
  });
}

export interface HistoryPage {
  readonly title: string;
  readonly subtitle: string;
  readonly lead: Html;
  readonly verdicts: readonly Verdict[];
  /** False where nothing has been judged, as of a run that was cut off. */
  readonly finished: boolean;
  readonly events: readonly Event[];
  /** Stands below the verdicts. */
  readonly exercised?: Section;
  readonly more: readonly Section[];
}

/** A page for any history, of a run or of a file: verdicts, timeline, latency. */
export function historyPage({
  title,
  subtitle,
  lead,
  verdicts,
  finished,
  events,
  exercised,
  more,
}: HistoryPage): string {
  const involved = verdicts.flatMap(({ violation }) => violation?.events.map(({ index }) => index) ?? []);
  const data = timelineData(events, involved);
  const positions = new Map(data.index.map((index, position) => [index, position]));
  const completed = completions(events, positions);
  const numbers = new Map(data.marked.map((position, i) => [position, i + 1]));
  const placeOf = (event: Event): Place | undefined => {
    const position = positions.get(event.index) ?? completed.get(event.index);
    return position === undefined ? undefined : { position, number: numbers.get(position) };
  };
  const outcome = finished ? worst(verdicts.map(({ verdict }) => verdict)) : undefined;
  const sections: Section[] = [
    {
      id: "verdicts",
      title: "Verdicts",
      body:
        verdicts.length === 0 ? markup`<p>Nothing has been judged yet.</p>` : verdictList(verdicts, placeOf),
    },
    ...(exercised === undefined ? [] : [exercised]),
    {
      id: "operations",
      title: "Operations",
      note: `${count(data.start.length)} by ${data.lanes.length} clients, ${data.faults.length} faults`,
      body: timeline(
        data.faults.map(({ family }) => family),
        involved.length > 0,
      ),
    },
    {
      id: "latency",
      title: "Latency and throughput",
      body: markup`${charts(events)}
        <details>
          <summary>by operation</summary>
          ${latencyTable(events)}
        </details>`,
    },
    ...more,
  ];
  return renderPage({
    title,
    subtitle,
    outcome,
    lead,
    sections,
    data: { "timeline-data": data },
    scripts: [drawTimeline],
  });
}

/** From a completion's index to its operation's position. */
function completions(
  events: readonly Event[],
  positions: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> {
  const open = new Map<number | string, number>();
  const found = new Map<number, number>();
  for (const { process, type, index } of events) {
    if (type === "invoke") open.set(process, index);
    else {
      const position = positions.get(open.get(process) ?? -1);
      if (position !== undefined) found.set(index, position);
    }
  }
  return found;
}

function timeline(families: readonly string[], violated: boolean): Html {
  const swatch = (name: string, text: string, className = ""): Html =>
    markup`<span><i class="${className}" style="--swatch: var(--${name})"></i>${text}</span>`;
  const known = [...new Set(families)].toSorted();
  return markup`<div class="tools">
      <button id="timeline-in" type="button">Zoom in</button
      ><button id="timeline-out" type="button">Zoom out</button
      ><button id="timeline-all" type="button">Whole run</button
      >${violated ? markup`<button id="timeline-violation" type="button">Go to the violation</button>` : ""}<span
        class="span"
        id="timeline-span"
      ></span>
    </div>
    <div id="timeline"></div>
    <div class="legend">
      ${swatch("read", "read")}${swatch("write", "write")}${swatch("fail", "fail (certainly did not happen)")}${swatch("info", "info (nobody knows)")}${swatch("other", "session, leadership")}${known.map((family) => markup`<span><i class="band" style="--swatch: ${faultColour(family)}"></i>${family}</span>`)}<span
        class="hint"
        >drag to zoom, Shift-drag to move, Ctrl-wheel, double click to zoom out; hover for details</span
      >
    </div>
    <noscript><p>The timeline is drawn by a script in this file.</p></noscript>`;
}

function bounds(manifest: Manifest): string {
  const { parameters, operations, schedule } = manifest;
  const seconds =
    typeof parameters["durationMs"] === "number" ? `${parameters["durationMs"] / 1000} s` : "some time";
  const virtual = manifest.cluster.kind === "embedded" ? " of virtual time" : "";
  const clients = typeof parameters["clients"] === "number" ? `${parameters["clients"]} clients, ` : "";
  return `${count(operations)} operations in ${seconds}${virtual}: ${clients}${schedule.length} faults scheduled. The verdicts hold for this history`;
}

function ending(manifest: Manifest, torn: boolean): Html {
  const notes: string[] = [];
  if (manifest.status === "running" || manifest.status === "checking")
    notes.push("The run was cut off; what it had written is shown.");
  if (manifest.status === "interrupted") notes.push("The run was ended early by its user.");
  if (manifest.status === "failed") notes.push(`The run failed: ${manifest.error ?? "no reason is known"}.`);
  if (torn) notes.push("The history's last line is torn and was left out.");
  return markup`${notes.map((note) => ` ${note}`).join("")}`;
}

function again(manifest: Manifest): Html {
  const { parameters, host } = manifest;
  const command = typeof parameters["command"] === "string" ? parameters["command"] : undefined;
  return markup`${command === undefined ? "" : markup`<pre>${command}</pre>`}
    <details>
      <summary>parameters, schedule and host</summary>
      <dl class="pairs">
        ${Object.entries({
          ...parameters,
          host: `${host.platform} ${host.release} ${host.architecture}, ${host.processors} processors, ${(host.memoryBytes / 2 ** 30).toFixed(0)} GiB, Node ${host.node}`,
        } as { [name: string]: Json }).map(
          ([name, value]) =>
            markup`<dt>${name}</dt>
              <dd>${typeof value === "string" ? value : JSON.stringify(value)}</dd>`,
        )}
      </dl>
      <pre>${JSON.stringify(manifest.schedule, null, 1)}</pre>
    </details>`;
}
