/// <reference lib="dom" />
import type { StepData } from "./step-data.ts";

/**
 * Runs in the browser: shows the state beside the diagram, and what the chosen step changed. Arrow keys step, Home and
 * End go to the ends. It may use the browser and its own text only.
 */
export function stepThrough(): void {
  const data = JSON.parse(document.getElementById("steps-data")?.textContent ?? "{}") as StepData;
  const state = document.getElementById("state");
  const where = document.getElementById("where");
  const list = document.getElementById("steps");
  const here = document.querySelector("svg.spacetime rect.here");
  const rowHeight = Number(here?.getAttribute("height"));
  const top = Number(here?.getAttribute("y"));
  let current = -1;

  const make = (tag: string, text: string, className = ""): HTMLElement => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (className !== "") element.className = className;
    return element;
  };
  const entriesAt = (step: number): Map<string, string> => {
    const entries = new Map(Object.entries(data.initial));
    for (const changes of data.steps.slice(0, step))
      for (const [entry, , after] of changes) entries.set(entry, after);
    return entries;
  };
  const cell = (
    tag: string,
    entry: string,
    entries: Map<string, string>,
    changed: Map<string, string>,
  ): HTMLElement => {
    const old = changed.get(entry);
    const element = make(tag, "", old === undefined ? "" : "changed");
    if (old !== undefined) element.append(make("s", old), " ");
    element.append(make("span", entries.get(entry) ?? ""));
    return element;
  };
  const table = (entries: Map<string, string>, changed: Map<string, string>): HTMLElement => {
    const result = make("table", "", "state");
    const head = make("tr", "");
    head.append(make("th", ""), ...data.lanes.map((lane) => make("th", lane)));
    result.append(head);
    for (const row of data.rows) {
      const line = make("tr", "");
      line.append(make("th", row));
      for (const lane of data.lanes) line.append(cell("td", `${row}[${lane}]`, entries, changed));
      result.append(line);
    }
    return result;
  };
  const others = (entries: Map<string, string>, changed: Map<string, string>): HTMLElement => {
    const result = make("dl", "", "others");
    for (const entry of data.others) {
      const value = entries.get(entry) ?? "";
      // Empty channels and sets would bury the rest.
      if (!changed.has(entry) && (value === "<<>>" || value === "{}")) continue;
      result.append(make("dt", entry), cell("dd", entry, entries, changed));
    }
    return result;
  };
  const show = (wanted: number, scroll: boolean): void => {
    const step = Math.max(0, Math.min(data.steps.length, wanted));
    if (step === current) return;
    current = step;
    const changed = new Map((data.steps[step - 1] ?? []).map(([entry, before]) => [entry, before]));
    const entries = entriesAt(step);
    const words = data.words[step - 1] ?? "";
    state?.replaceChildren(
      ...(words === "" ? [] : [make("p", words, "words")]),
      table(entries, changed),
      others(entries, changed),
    );
    if (where !== null)
      where.textContent = step === 0 ? "the initial state" : `after step ${step} of ${data.steps.length}`;
    here?.setAttribute("y", String(top + step * rowHeight));
    for (const item of document.querySelectorAll("#steps li")) {
      const isHere = Number((item as HTMLElement).dataset["step"]) === step;
      item.classList.toggle("here", isHere);
      if (isHere) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
      if (isHere && scroll) item.scrollIntoView({ block: "nearest" });
    }
    for (const message of document.querySelectorAll("svg.spacetime .message")) {
      const { sent, taken } = (message as SVGElement).dataset;
      message.classList.toggle("now", Number(sent) === step || Number(taken) === step);
    }
  };

  list?.addEventListener("click", (event) => {
    const item = (event.target as Element).closest("li");
    if (item !== null) show(Number(item.dataset["step"]), false);
  });
  document.querySelector("svg.spacetime")?.addEventListener("click", (event) => {
    const y = (event as MouseEvent).clientY - (event.currentTarget as Element).getBoundingClientRect().top;
    show(Math.floor((y - top) / rowHeight), false);
  });
  document.getElementById("back")?.addEventListener("click", () => show(current - 1, true));
  document.getElementById("forward")?.addEventListener("click", () => show(current + 1, true));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: { [key: string]: number } = {
      ArrowDown: current + 1,
      ArrowRight: current + 1,
      j: current + 1,
      ArrowUp: current - 1,
      ArrowLeft: current - 1,
      k: current - 1,
      Home: 0,
      End: data.steps.length,
    };
    const wanted = moves[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    show(wanted, true);
  });
  show(data.steps.length, false);
}
