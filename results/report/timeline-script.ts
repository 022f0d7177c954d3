/// <reference lib="dom" />
import type { TimelineData } from "./timeline-data.ts";

/**
 * Draws the timeline in the browser, from the JSON in #timeline-data into #timeline. Its text is put into the page
 * as it stands: it must use nothing from outside itself.
 *
 * A pixel column of a row shows the most telling of the operations in it, so that drawing costs one pass over the
 * operations in view, however many there are.
 */
export function drawTimeline(): void {
  const found = document.getElementById("timeline-data");
  const box = document.getElementById("timeline");
  if (found === null || box === null) return;
  const data = JSON.parse(found.textContent ?? "{}") as TimelineData;
  const count = data.start.length;
  const colours = ["--read", "--write", "--fail", "--info", "--other"];
  /** Which operation shows in a shared pixel: what is rarer and matters more covers the rest. */
  const rank = [1, 2, 0, 3, 1];
  const marked = new Map(data.marked.map((position, i) => [position, i + 1]));
  const gutter = 64;
  const head = 24;
  const foot = 20;
  const faultRow = 15;
  const laneHeight = Math.max(5, Math.min(18, Math.floor(420 / Math.max(1, data.lanes.length))));

  const faultLanes: number[] = [];
  const faultLaneOf = data.faults.map((fault) => {
    let lane = faultLanes.findIndex((end) => end <= fault.start);
    if (lane === -1) lane = faultLanes.push(0) - 1;
    faultLanes[lane] = fault.end;
    return lane;
  });
  const top = head + faultLanes.length * faultRow + (faultLanes.length > 0 ? 6 : 0);
  const height = top + data.lanes.length * laneHeight + foot;

  const make = (className: string, heightPx: number): HTMLCanvasElement => {
    const canvas = document.createElement("canvas");
    canvas.className = className;
    canvas.style.height = `${heightPx}px`;
    return canvas;
  };
  const view = make("view", height);
  const map = make("map", 34);
  view.tabIndex = 0;
  view.setAttribute("role", "img");
  view.setAttribute(
    "aria-label",
    `${count} operations of ${data.lanes.length} clients over time, with ${data.faults.length} faults`,
  );
  const holder = document.createElement("div");
  holder.className = "canvases";
  holder.append(view);
  box.append(holder, map);
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);

  let from = 0;
  let to = data.spanUs;
  let hovered = -1;
  let drag: { x: number; now: number; pan: boolean; from: number; to: number } | undefined;

  const style = (): ((name: string) => string) => {
    const computed = getComputedStyle(document.documentElement);
    return (name) => computed.getPropertyValue(name).trim();
  };
  const widthOf = (canvas: HTMLCanvasElement): number => canvas.clientWidth || 900;
  const x = (us: number): number => gutter + ((us - from) / (to - from)) * (widthOf(view) - gutter);
  const timeAt = (px: number): number => from + ((px - gutter) / (widthOf(view) - gutter)) * (to - from);
  const seconds = (us: number, spanUs: number): string => {
    const digits = spanUs > 2e7 ? 0 : spanUs > 2e6 ? 1 : spanUs > 2e5 ? 2 : spanUs > 2e4 ? 3 : 5;
    return `${(us / 1e6).toFixed(digits)} s`;
  };

  const prepare = (canvas: HTMLCanvasElement): CanvasRenderingContext2D | null => {
    const ratio = window.devicePixelRatio || 1;
    const width = widthOf(canvas);
    const heightPx = canvas.clientHeight || Number.parseInt(canvas.style.height, 10);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(heightPx * ratio);
    const context = canvas.getContext("2d");
    context?.scale(ratio, ratio);
    context?.clearRect(0, 0, width, heightPx);
    if (context !== null) context.font = "11px system-ui, sans-serif";
    return context;
  };

  const drawAxis = (context: CanvasRenderingContext2D, colour: (name: string) => string): void => {
    const width = widthOf(view);
    const rough = (to - from) / Math.max(2, (width - gutter) / 110);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough;
    context.textAlign = "center";
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      const px = Math.round(x(at)) + 0.5;
      context.fillStyle = colour("--grid");
      context.fillRect(px - 0.5, head - 4, 1, height - head - foot + 4);
      context.fillStyle = colour("--faint");
      context.fillText(seconds(at, to - from), Math.min(px, width - 18), 12);
    }
  };

  const drawFaults = (context: CanvasRenderingContext2D, colour: (name: string) => string): void => {
    const width = widthOf(view);
    data.faults.forEach((fault, i) => {
      const left = Math.max(gutter, x(fault.start));
      const right = Math.min(width, x(fault.end));
      if (right <= gutter || left >= width) return;
      const wide = Math.max(2, right - left);
      const y = head + (faultLaneOf[i] ?? 0) * faultRow;
      context.fillStyle = colour(`--${fault.family}`) || colour("--fault");
      context.globalAlpha = 0.1;
      context.fillRect(left, y, wide, height - y - foot);
      context.globalAlpha = 0.9;
      context.beginPath();
      context.roundRect(left, y, wide, faultRow - 3, 3);
      context.fill();
      context.globalAlpha = 1;
      const short = fault.label.split(":")[0] ?? "";
      context.textAlign = "left";
      context.fillStyle = colour("--card");
      for (const text of [fault.label, short, fault.family]) {
        if (context.measureText(text).width > wide - 8) continue;
        context.fillText(text, left + 4, y + 10);
        break;
      }
    });
  };

  /** The first operation that may reach into the view, given that starts rise within each lane only roughly: by the longest one. */
  const drawOperations = (context: CanvasRenderingContext2D, colour: (name: string) => string): void => {
    const width = Math.ceil(widthOf(view) - gutter);
    const best = data.lanes.map(() => new Int8Array(width).fill(-1));
    const bar = laneHeight > 8 ? laneHeight - 4 : laneHeight - 1;
    const fills = colours.map(colour);
    for (let i = 0; i < count; i++) {
      const start = data.start[i] ?? 0;
      const end = start + (data.length[i] ?? 0);
      if (end < from || start > to) continue;
      const kind = data.kind[i] ?? 0;
      const lane = data.lane[i] ?? 0;
      const left = Math.floor(x(start) - gutter);
      const right = Math.ceil(x(end) - gutter);
      if (right - left > 3) {
        // Wide enough to be drawn as itself, with a gap that keeps neighbours apart.
        const a = Math.max(0, left);
        const b = Math.min(width, right);
        context.fillStyle = fills[kind] ?? "";
        context.globalAlpha = kind === 2 ? 0.75 : 1;
        context.fillRect(
          gutter + a,
          top + lane * laneHeight,
          Math.max(1, b - a - (b === right ? 1 : 0)),
          bar,
        );
        continue;
      }
      const row = best[lane];
      if (row === undefined) continue;
      for (let px = Math.max(0, left); px < Math.min(width, Math.max(right, left + 1)); px++) {
        const present = row[px] ?? -1;
        if (present === -1 || (rank[kind] ?? 0) > (rank[present] ?? 0)) row[px] = kind;
      }
    }
    context.globalAlpha = 1;
    best.forEach((row, lane) => {
      for (let px = 0; px < width;) {
        const kind = row[px] ?? -1;
        let end = px + 1;
        while (end < width && row[end] === kind) end++;
        if (kind >= 0) {
          context.fillStyle = fills[kind] ?? "";
          context.fillRect(gutter + px, top + lane * laneHeight, end - px, bar);
        }
        px = end;
      }
    });
  };

  const drawMarks = (context: CanvasRenderingContext2D, colour: (name: string) => string): void => {
    const bar = laneHeight > 8 ? laneHeight - 4 : laneHeight - 1;
    context.textAlign = "center";
    let lastRight = -99;
    for (const [position, number] of [...marked].sort(
      ([a], [b]) => (data.start[a] ?? 0) - (data.start[b] ?? 0),
    )) {
      const start = data.start[position] ?? 0;
      const left = Math.max(gutter, x(start));
      const right = x(start + (data.length[position] ?? 0));
      if (right < gutter || left > widthOf(view)) continue;
      const y = top + (data.lane[position] ?? 0) * laneHeight;
      context.strokeStyle = colour("--violated");
      context.lineWidth = 2;
      context.strokeRect(left - 1, y - 1, Math.max(4, right - left + 2), bar + 2);
      context.globalAlpha = 0.5;
      context.fillStyle = colour("--violated");
      context.fillRect(left, y + bar, 1, height - foot - y - bar);
      context.globalAlpha = 1;
      const at = Math.max(left, lastRight + 3);
      const text = String(number);
      const wide = Math.max(14, context.measureText(text).width + 8);
      context.fillStyle = colour("--violated");
      context.beginPath();
      context.roundRect(at - 2, height - foot + 2, wide, 14, 4);
      context.fill();
      context.fillStyle = colour("--card");
      context.fillText(text, at - 2 + wide / 2, height - foot + 13);
      lastRight = at + wide;
    }
  };

  const draw = (): void => {
    const context = prepare(view);
    if (context === null) return;
    const colour = style();
    const width = widthOf(view);
    drawAxis(context, colour);
    drawFaults(context, colour);
    context.save();
    context.beginPath();
    context.rect(gutter, 0, width - gutter, height);
    context.clip();
    drawOperations(context, colour);
    context.restore();
    context.fillStyle = colour("--soft");
    context.textAlign = "right";
    if (faultLanes.length > 0) context.fillText("faults", gutter - 8, head + 10);
    if (laneHeight >= 11) {
      data.lanes.forEach((lane, i) =>
        context.fillText(lane, gutter - 8, top + i * laneHeight + laneHeight / 2 + 3),
      );
    } else {
      context.fillText(`${data.lanes.length} clients`, gutter - 6, top + 10);
    }
    drawMarks(context, colour);
    if (drag !== undefined && !drag.pan) {
      context.fillStyle = colour("--read");
      context.globalAlpha = 0.18;
      context.fillRect(Math.min(drag.x, drag.now), 0, Math.abs(drag.now - drag.x), height);
      context.globalAlpha = 1;
    }
    const span = document.getElementById("timeline-span");
    if (span !== null) span.textContent = `${seconds(from, to - from)} – ${seconds(to, to - from)}`;
    for (const [id, disabled] of [
      ["timeline-all", from === 0 && to === data.spanUs],
      ["timeline-violation", marked.size === 0],
    ] as const) {
      const button = document.getElementById(id);
      if (button instanceof HTMLButtonElement) button.disabled = disabled;
    }
    drawMap(colour);
  };

  const drawMap = (colour: (name: string) => string): void => {
    const context = prepare(map);
    if (context === null) return;
    const width = widthOf(map);
    const bins = new Float64Array(Math.ceil(width));
    let most = 1;
    for (let i = 0; i < count; i++) {
      const bin = Math.min(bins.length - 1, Math.floor(((data.start[i] ?? 0) / data.spanUs) * bins.length));
      most = Math.max(most, (bins[bin] = (bins[bin] ?? 0) + 1));
    }
    for (const fault of data.faults) {
      context.fillStyle = colour(`--${fault.family}`) || colour("--fault");
      context.globalAlpha = 0.22;
      context.fillRect(
        (fault.start / data.spanUs) * width,
        0,
        Math.max(1, ((fault.end - fault.start) / data.spanUs) * width),
        34,
      );
    }
    context.globalAlpha = 1;
    context.fillStyle = colour("--soft");
    bins.forEach((n, px) => context.fillRect(px, 34 - (n / most) * 26, 1, (n / most) * 26));
    for (const position of marked.keys()) {
      context.fillStyle = colour("--violated");
      context.fillRect(((data.start[position] ?? 0) / data.spanUs) * width - 1, 0, 2, 34);
    }
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.5;
    const left = (from / data.spanUs) * width;
    context.strokeRect(left + 0.75, 0.75, Math.max(3, ((to - from) / data.spanUs) * width - 1.5), 32.5);
  };

  let scheduled = false;
  const redraw = (): void => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      draw();
    });
  };
  const show = (newFrom: number, newTo: number): void => {
    const least = 20;
    const span = Math.max(least, Math.min(data.spanUs, newTo - newFrom));
    from = Math.max(0, Math.min(data.spanUs - span, newFrom));
    to = from + span;
    redraw();
  };
  const zoom = (factor: number, around: number): void =>
    show(around - (around - from) * factor, around + (to - around) * factor);
  const showOperations = (positions: readonly number[]): void => {
    if (positions.length === 0) return;
    const starts = positions.map((position) => data.start[position] ?? 0);
    const ends = positions.map((position) => (data.start[position] ?? 0) + (data.length[position] ?? 0));
    const first = starts.reduce((a, b) => Math.min(a, b));
    const last = ends.reduce((a, b) => Math.max(a, b));
    const margin = Math.max(2000, (last - first) * 0.25);
    show(first - margin, last + margin);
  };

  const operationAt = (px: number, py: number): number => {
    const lane = Math.floor((py - top) / laneHeight);
    if (px < gutter || lane < 0 || lane >= data.lanes.length) return -1;
    const reach = ((to - from) / (widthOf(view) - gutter)) * 3;
    const at = timeAt(px);
    let nearest = -1;
    let least = reach;
    for (let i = 0; i < count; i++) {
      if (data.lane[i] !== lane) continue;
      const start = data.start[i] ?? 0;
      const end = start + (data.length[i] ?? 0);
      const far = at < start ? start - at : at > end ? at - end : 0;
      if (
        far < least ||
        (far === least &&
          nearest >= 0 &&
          (rank[data.kind[i] ?? 0] ?? 0) > (rank[data.kind[nearest] ?? 0] ?? 0)) ||
        (far === 0 && nearest === -1)
      ) {
        nearest = i;
        least = far;
      }
    }
    return nearest;
  };
  const tell = (event: MouseEvent): void => {
    const box = view.getBoundingClientRect();
    const px = event.clientX - box.left;
    const py = event.clientY - box.top;
    hovered = operationAt(px, py);
    let text = "";
    if (hovered >= 0) {
      const length = data.length[hovered] ?? 0;
      const took = length >= 1000 ? `${(length / 1000).toFixed(1)} ms` : `${length} µs`;
      const known =
        data.text[hovered] ??
        `${data.names[data.f[hovered] ?? 0]}, ${["ok", "ok", "fail", "info", "ok"][data.kind[hovered] ?? 0]}`;
      text = `${known}\n${seconds(data.start[hovered] ?? 0, 1)}, took ${took}; process ${data.process[hovered]}, event ${data.index[hovered]}`;
    } else {
      const at = timeAt(px);
      const slack = ((to - from) / widthOf(view)) * 2;
      text =
        px < gutter
          ? ""
          : data.faults
              .filter((fault, i) => {
                const y = head + (faultLaneOf[i] ?? 0) * faultRow;
                return fault.start - slack <= at && at <= fault.end + slack && py >= y && py < y + faultRow;
              })
              .map((fault) => `${fault.label}\n${seconds(fault.start, 2e6)} – ${seconds(fault.end, 2e6)}`)
              .join("\n");
    }
    tip.hidden = text === "";
    tip.textContent = text;
    if (!tip.hidden) {
      tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 12))}px`;
      const below = event.clientY + 18 + tip.offsetHeight < innerHeight;
      tip.style.top = `${below ? event.clientY + 18 : event.clientY - tip.offsetHeight - 12}px`;
    }
  };

  view.addEventListener("pointerdown", (event) => {
    const px = event.clientX - view.getBoundingClientRect().left;
    view.setPointerCapture(event.pointerId);
    drag = { x: px, now: px, pan: event.shiftKey, from, to };
  });
  view.addEventListener("pointermove", (event) => {
    if (drag === undefined) {
      tell(event);
      return;
    }
    drag.now = event.clientX - view.getBoundingClientRect().left;
    tip.hidden = true;
    if (drag.pan) {
      const moved = ((drag.x - drag.now) / (widthOf(view) - gutter)) * (drag.to - drag.from);
      show(drag.from + moved, drag.to + moved);
    } else redraw();
  });
  view.addEventListener("pointerup", () => {
    const done = drag;
    drag = undefined;
    if (done !== undefined && !done.pan && Math.abs(done.now - done.x) > 5) {
      show(timeAt(Math.min(done.x, done.now)), timeAt(Math.max(done.x, done.now)));
    } else redraw();
  });
  view.addEventListener("pointerleave", () => (tip.hidden = true));
  view.addEventListener("dblclick", (event) =>
    zoom(3, timeAt(event.clientX - view.getBoundingClientRect().left)),
  );
  view.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        zoom(1.0015 ** event.deltaY, timeAt(event.clientX - view.getBoundingClientRect().left));
      } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        const moved = (event.deltaX / widthOf(view)) * (to - from);
        show(from + moved, to + moved);
      }
    },
    { passive: false },
  );
  view.addEventListener("keydown", (event) => {
    const shift = (to - from) / 5;
    const middle = (from + to) / 2;
    const act: { [key: string]: () => void } = {
      ArrowLeft: () => show(from - shift, to - shift),
      ArrowRight: () => show(from + shift, to + shift),
      "+": () => zoom(0.5, middle),
      "-": () => zoom(2, middle),
      "0": () => show(0, data.spanUs),
    };
    const chosen = act[event.key];
    if (chosen === undefined) return;
    event.preventDefault();
    chosen();
  });
  const jump = (event: PointerEvent): void => {
    const bounds = map.getBoundingClientRect();
    const at = ((event.clientX - bounds.left) / bounds.width) * data.spanUs;
    show(at - (to - from) / 2, at + (to - from) / 2);
  };
  map.addEventListener("pointerdown", (event) => {
    map.setPointerCapture(event.pointerId);
    jump(event);
  });
  map.addEventListener("pointermove", (event) => {
    if (event.buttons === 1) jump(event);
  });
  const on = (id: string, act: () => void): void =>
    document.getElementById(id)?.addEventListener("click", act);
  on("timeline-in", () => zoom(0.4, (from + to) / 2));
  on("timeline-out", () => zoom(2.5, (from + to) / 2));
  on("timeline-all", () => show(0, data.spanUs));
  on("timeline-violation", () => showOperations([...marked.keys()]));
  for (const row of document.querySelectorAll<HTMLElement>("[data-operation]")) {
    row.addEventListener("click", () => {
      showOperations([Number(row.dataset["operation"])]);
      box.scrollIntoView({ behavior: "smooth", block: "center" });
    });
  }
  new ResizeObserver(redraw).observe(view);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  draw();
  box.dataset["drawn"] = String(count);
}
