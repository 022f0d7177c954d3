import { parentPath, sequenceNumber, type Zxid } from "../../model/index.ts";
import type { Step } from "./steps.ts";

/** Between which zxids a sequential node was created, as the acknowledged ones with lower and higher numbers show. */
export class SequenceBounds {
  readonly #byParent = new Map<string, { readonly number: number; readonly zxid: Zxid }[]>();

  constructor(steps: readonly Step[]) {
    const deleted = new Set(steps.filter((step) => step.op === "delete").map((step) => step.path));
    for (const step of steps) {
      if (step.op !== "create" || step.outcome !== "ok" || !step.hasPosition) continue;
      if (!String(step.request["mode"]).includes("sequential")) continue;
      const created = String(step.answer["path"]);
      const number = sequenceNumber(created);
      const parent = parentPath(created);
      // A parent created again numbers from 0 again.
      if (number === undefined || deleted.has(parent)) continue;
      const siblings = this.#byParent.get(parent);
      if (siblings === undefined) this.#byParent.set(parent, [{ number, zxid: step.zxid }]);
      else siblings.push({ number, zxid: step.zxid });
    }
    for (const siblings of this.#byParent.values()) siblings.sort((a, b) => a.number - b.number);
  }

  /** The open interval of zxids for the node with this number. */
  of(path: string): { readonly above: Zxid; readonly below: Zxid } {
    const siblings = this.#byParent.get(parentPath(path));
    const number = sequenceNumber(path);
    if (siblings === undefined || number === undefined) return { above: 0, below: Infinity };
    let [from, to] = [0, siblings.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((siblings[middle]?.number ?? 0) > number) to = middle;
      else from = middle + 1;
    }
    const lower = siblings.slice(0, from).findLast((each) => each.number < number);
    return { above: lower?.zxid ?? 0, below: siblings[from]?.zxid ?? Infinity };
  }
}
