import type { Zxid } from "../../../model/index.ts";
import { firstAtLeast } from "../../ascending.ts";
import type { Step } from "./steps.ts";

/** The newest zxid of a kind of reply, as it grows along the history; asked by event index. */
class Newest {
  readonly #indexes: number[] = [];
  readonly #zxids: Zxid[] = [];
  readonly #steps: Step[] = [];

  /** Steps have to come in the order of their completions. */
  add(step: Step): void {
    const last = this.#zxids.at(-1);
    if (last !== undefined && step.zxid <= last) return;
    this.#indexes.push(step.completedAt);
    this.#zxids.push(step.zxid);
    this.#steps.push(step);
  }

  /** The reply with the newest zxid among those that came before the event. */
  before(index: number): Step | undefined {
    return this.#steps[firstAtLeast(this.#indexes, index) - 1];
  }

  /** The same for events of which none is asked for before an earlier one. */
  along(): (index: number) => Step | undefined {
    let next = 0;
    return (index) => {
      while ((this.#indexes[next] ?? Infinity) < index) next++;
      return this.#steps[next - 1];
    };
  }

  /** The first reply that carried a zxid above the given one. */
  firstAbove(zxid: Zxid): Step | undefined {
    return this.#steps[firstAtLeast(this.#zxids, zxid + 1)];
  }
}

/** What was known when, by zxid: of the replies in the order in which they came. */
export class Knowledge {
  readonly writes: Newest = new Newest();
  readonly reads: Newest = new Newest();

  /** Steps have to come in the order of their completions. */
  add(step: Step): void {
    if (step.hasPosition) this.writes.add(step);
    else if (!step.isWrite) this.reads.add(step);
  }
}
