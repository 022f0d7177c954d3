import * as Plot from "@observablehq/plot";
import { JSDOM } from "jsdom";
import { pairOperations, type Event, type Operation } from "../../model/index.ts";
import { markup, trusted, type Html } from "./html.ts";
import { faultColour } from "./style.ts";
import { faultIntervals, kindOf, type FaultInterval } from "./timeline-data.ts";

/** About how many points a line has. */
const binsWanted = 120;

const quantiles = [
  { name: "p50", at: 0.5, colour: "var(--read)" },
  { name: "p95", at: 0.95, colour: "var(--write)" },
  { name: "p99", at: 0.99, colour: "var(--info)" },
  { name: "max", at: 1, colour: "var(--violated)" },
] as const;

const ends = [
  { name: "ok", colour: "var(--write)" },
  { name: "fail", colour: "var(--fail)" },
  { name: "info", colour: "var(--info)" },
] as const;

interface Bin {
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
  readonly ended: Readonly<Record<"ok" | "fail" | "info", number>>;
}

/** Latency and throughput over time, the faults shaded behind them; as SVG, drawn here, so that the page needs no library. */
export function charts(events: readonly Event[]): Html {
  const operations = pairOperations(events).filter(({ process }) => typeof process === "number");
  const bins = binned(operations, events);
  if (bins.length === 0) return markup`<p class="note">No operation was answered.</p>`;
  const t0 = events[0]?.time ?? 0;
  const faults = faultIntervals(events).map((fault) => ({
    ...fault,
    startNs: fault.startNs - t0,
    endNs: fault.endNs - t0,
  }));
  return markup`<div class="charts">
    <div>
      <h3>Latency of answered operations <span class="note">ms, logarithmic</span></h3>
      ${legend(quantiles)}${latency(bins, faults)}
    </div>
    <div>
      <h3>Operations a second, by how they ended</h3>
      ${legend(ends)}${throughput(bins, faults)}
    </div>
  </div>`;
}

/** A table of quantiles by operation: what the lines cannot say exactly. */
export function latencyTable(events: readonly Event[]): Html {
  const byName = new Map<string, { latencies: number[]; ok: number; fail: number; info: number }>();
  for (const operation of pairOperations(events)) {
    if (typeof operation.process !== "number") continue;
    const row = byName.get(operation.f) ?? { latencies: [], ok: 0, fail: 0, info: 0 };
    byName.set(operation.f, row);
    const type = operation.completion?.type ?? "info";
    if (type !== "invoke") row[type]++;
    if (type === "ok") row.latencies.push(latencyMs(operation));
  }
  const rows = [...byName].toSorted(([, a], [, b]) => b.ok + b.fail + b.info - (a.ok + a.fail + a.info));
  return markup`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>operation</th>
          <th class="number">ok</th>
          <th class="number">fail</th>
          <th class="number">info</th>
          ${quantiles.map(({ name }) => markup`<th class="number">${name} ms</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(([name, { latencies, ok, fail, info }]) => {
          const sorted = latencies.toSorted((a, b) => a - b);
          return markup`<tr>
            <td>${name}</td>
            <td class="number">${count(ok)}</td>
            <td class="number">${count(fail)}</td>
            <td class="number">${count(info)}</td>
            ${quantiles.map(({ at }) => markup`<td class="number">${sorted.length === 0 ? "–" : quantile(sorted, at).toFixed(2)}</td>`)}
          </tr> `;
        })}
      </tbody>
    </table>
  </div>`;
}

export function count(n: number): string {
  return n.toLocaleString("en-GB").replaceAll(",", "\u202f");
}

function legend(entries: readonly { readonly name: string; readonly colour: string }[]): Html {
  return markup`<div class="legend">
    ${entries.map(({ name, colour }) => markup`<span><i style="--swatch: ${colour}"></i>${name}</span>`)}
  </div>`;
}

function latencyMs(operation: Operation): number {
  return ((operation.completion?.time ?? operation.invocation.time) - operation.invocation.time) / 1e6;
}

/** Bins of a round length over the whole history, by the moment at which operations ended. */
function binned(operations: readonly Operation[], events: readonly Event[]): readonly Bin[] {
  const t0 = events[0]?.time ?? 0;
  const spanSeconds = ((events.at(-1)?.time ?? t0) - t0) / 1e9;
  const width = roundUp(spanSeconds / binsWanted);
  if (operations.length === 0 || !(width > 0)) return [];
  const bins = Array.from({ length: Math.floor(spanSeconds / width) + 1 }, (_, i) => ({
    seconds: (i + 0.5) * width,
    latenciesMs: [] as number[],
    ended: { ok: 0, fail: 0, info: 0 },
  }));
  for (const operation of operations) {
    const completion = operation.completion;
    if (completion === undefined || completion.type === "invoke") continue;
    const bin = bins[Math.floor((completion.time - t0) / 1e9 / width)];
    if (bin === undefined) continue;
    bin.ended[completion.type] += 1 / width;
    if (kindOf(operation) !== "info") bin.latenciesMs.push(latencyMs(operation));
  }
  for (const bin of bins) bin.latenciesMs.sort((a, b) => a - b);
  return bins;
}

function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= value) ?? value;
}

/** Of sorted values, by nearest rank. */
function quantile(sorted: readonly number[], at: number): number {
  return sorted[Math.max(0, Math.ceil(at * sorted.length) - 1)] ?? Number.NaN;
}

function latency(bins: readonly Bin[], faults: readonly FaultInterval[]): Html {
  const points = bins.flatMap(({ seconds, latenciesMs }) =>
    quantiles.map(({ name, at, colour }) => ({
      seconds,
      name,
      colour,
      // A gap in the line where nothing was answered.
      ms: latenciesMs.length === 0 ? Number.NaN : Math.max(0.001, quantile(latenciesMs, at)),
    })),
  );
  const finite = points.filter(({ ms }) => !Number.isNaN(ms)).map(({ ms }) => ms);
  const low = finite.reduce((a, b) => Math.min(a, b), 1);
  const high = finite.reduce((a, b) => Math.max(a, b), low * 1.01);
  return plot(spanOf(bins), {
    height: 190,
    y: {
      type: "log",
      label: null,
      grid: false,
      ticks: 4,
      tickFormat: (ms: number) => String(Number(ms.toPrecision(2))),
      domain: [low, high * 1.15],
    },
    marks: [
      ...bands(faults, low, high * 1.15),
      Plot.line(points, {
        x: "seconds",
        y: "ms",
        z: "name",
        stroke: "colour",
        strokeWidth: 1.5,
        curve: "monotone-x",
      }),
      // A point between two gaps would be a line of no length.
      Plot.dot(points, { x: "seconds", y: "ms", fill: "colour", r: 1.1 }),
    ],
  });
}

function throughput(bins: readonly Bin[], faults: readonly FaultInterval[]): Html {
  const areas = bins.flatMap(({ seconds, ended }) =>
    ends.map(({ name, colour }) => ({ seconds, name, colour, rate: ended[name] })),
  );
  const most = bins.reduce((max, { ended }) => Math.max(max, ended.ok + ended.fail + ended.info), 1);
  return plot(spanOf(bins), {
    height: 150,
    y: { label: null, ticks: 4, domain: [0, most * 1.05] },
    marks: [
      ...bands(faults, 0, most * 1.05),
      Plot.areaY(
        areas,
        Plot.stackY({
          x: "seconds",
          y: "rate",
          fill: "colour",
          z: "name",
          fillOpacity: 0.85,
          curve: "step",
          order: ends.map(({ name }) => name),
        }),
      ),
    ],
  });
}

/** The end of the last bin. */
function spanOf(bins: readonly Bin[]): number {
  return (bins.at(-1)?.seconds ?? 0) + (bins[0]?.seconds ?? 0);
}

function bands(faults: readonly FaultInterval[], low: number, high: number): Plot.Markish[] {
  const rects = faults.map(({ family, startNs, endNs }) => ({
    x1: startNs / 1e9,
    x2: endNs / 1e9,
    fill: faultColour(family),
  }));
  return [
    Plot.rect(rects, { x1: "x1", x2: "x2", y1: low, y2: high, fill: "fill", fillOpacity: 0.13, clip: true }),
  ];
}

function plot(spanSeconds: number, options: Plot.PlotOptions): Html {
  const dom = new JSDOM("");
  try {
    const svg = Plot.plot({
      document: dom.window.document,
      width: 1160,
      marginLeft: 65,
      marginRight: 6,
      marginTop: 8,
      marginBottom: 26,
      x: {
        label: null,
        tickFormat: (seconds: number) => `${seconds} s`,
        ticks: 12,
        domain: [0, spanSeconds],
      },
      color: { type: "identity" },
      style: { background: "none", fontSize: "12px" },
      ...options,
    });
    return trusted(svg.outerHTML);
  } finally {
    dom.window.close();
  }
}
