import type { Counterexample, MessageArrow, SpaceTime } from "../../checkers/index.ts";
import { markup, type Html } from "../report/html.ts";

/** Pixels: of a step's row, of a lane, around the lanes. */
export const rowHeight = 34;
const laneWidth = 108;
const margin = 30;
const headHeight = 34;

/** The diagram: a lane for each actor, time downwards, a row for each step; its rows stand beside the list of steps. */
export function drawSpaceTime({ lanes, arrows }: SpaceTime, { steps }: Counterexample): Html {
  const width = 2 * margin + laneWidth * Math.max(0, lanes.length - 1);
  const height = headHeight + rowHeight * (steps.length + 1);
  const x = (lane: string): number => margin + laneWidth * Math.max(0, lanes.indexOf(lane));
  const y = (step: number): number => headHeight + rowHeight * (step + 0.5);
  const end = height - 4;
  return markup`<svg class="spacetime" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="space-time diagram">
    <defs>
      <marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 L8 4 L0 8 z" fill="context-stroke" /></marker>
    </defs>
    <rect class="here" x="0" y="${headHeight}" width="${width}" height="${rowHeight}" />
    ${lanes.map(
      (lane) => markup`<text class="lane" x="${x(lane)}" y="20">${lane === "" ? "system" : lane}</text>
        <line class="lane" x1="${x(lane)}" x2="${x(lane)}" y1="${headHeight}" y2="${end}" />`,
    )}
    ${arrows.map((arrow) => drawArrow(arrow, x, y, end))}
    ${steps.map(({ actor, fault, action }, index) => {
      const [cx, cy] = [x(actor ?? ""), y(index + 1)];
      const node = fault
        ? markup`<path class="fault" d="M${cx - 6} ${cy - 6} L${cx + 6} ${cy + 6} M${cx + 6} ${cy - 6} L${cx - 6} ${cy + 6}" />`
        : markup`<circle cx="${cx}" cy="${cy}" r="5" />`;
      return markup`<g class="event" data-step="${index + 1}"><title>${index + 1}. ${action}</title>${node}</g>`;
    })}
  </svg>`;
}

function drawArrow(
  { from, to, sent, taken, lost, text }: MessageArrow,
  x: (lane: string) => number,
  y: (step: number) => number,
  end: number,
): Html {
  const [x1, y1] = [x(from), y(sent)];
  const reached = taken === null ? 0.45 : lost ? 0.72 : 1;
  const [fullX, fullY] = [x(to), taken === null ? Math.min(end, y1 + 2 * rowHeight) : y(taken)];
  const [x2, y2] = [x1 + (fullX - x1) * reached, y1 + (fullY - y1) * reached];
  const kind = taken === null ? "waiting" : lost ? "lost" : "received";
  const cross = lost
    ? markup`<path class="cut" d="M${x2 - 5} ${y2 - 5} L${x2 + 5} ${y2 + 5} M${x2 + 5} ${y2 - 5} L${x2 - 5} ${y2 + 5}" />`
    : undefined;
  // The label stands in the middle of the arrow and leans with it as little as stays readable.
  const [mx, my] = [x1 + (x2 - x1) * 0.42, y1 + (y2 - y1) * 0.42 - 4];
  return markup`<g class="message ${kind}" data-sent="${sent}" data-taken="${taken ?? -1}">
    <title>${text}${taken === null ? ", under way" : lost ? ", lost" : ""}</title>
    <line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${kind === "received" ? markup`marker-end="url(#tip)"` : ""} />${cross}
    <text x="${mx}" y="${my}">${shorten(text)}</text>
  </g>`;
}

/** The first word: the message's type. The rest is in its title. */
function shorten(text: string): string {
  const [first = ""] = text.split(/[\s,(]/);
  return first.length > 12 ? `${first.slice(0, 11)}…` : first;
}
