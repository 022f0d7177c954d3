import { parentPath, sequenceNumber, type Zxid } from "../../model/index.ts";
import { firstThat } from "../ascending.ts";
import type { ZookeeperHistory } from "./history/zookeeper-history.ts";

interface Numbered {
  readonly number: number;
  readonly zxid: Zxid;
}

/** Between which zxids a sequential node was created, as the acknowledged ones with lower and higher numbers show. */
export class SequenceBounds {
  readonly #byParent = new Map<string, Numbered[]>();

  constructor({ creates, deletedPaths }: Pick<ZookeeperHistory, "creates" | "deletedPaths">) {
    for (const step of creates) {
      if (step.outcome !== "ok" || !step.hasPosition || !step.createsSequential) continue;
      const { created } = step;
      const number = sequenceNumber(created);
      const parent = parentPath(created);
      // A parent created again numbers from 0 again.
      if (number === undefined || deletedPaths.has(parent)) continue;
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
    const from = firstThat(siblings.length, (at) => (siblings[at] as Numbered).number >= number);
    const to = firstThat(siblings.length, (at) => (siblings[at] as Numbered).number > number);
    return { above: siblings[from - 1]?.zxid ?? 0, below: siblings[to]?.zxid ?? Infinity };
  }
}
