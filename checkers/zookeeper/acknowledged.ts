import type { Zxid } from "../../model/index.ts";
import type { Step } from "./history/steps.ts";

const countersOfEpoch = 2 ** 32;

/** The writes of one epoch, by how far their counter is above `first`, the least of them. */
interface EpochWrites {
  readonly epoch: number;
  first: number;
  readonly writes: Step[];
}

/**
 * The writes that were acknowledged, by zxid; of two at the same one that whose answer came later. An epoch's counters are dense, so that a
 * list finds with one look what a Map would have to hash floating-point numbers for.
 */
export class Acknowledged {
  readonly #epochs = new Map<number, EpochWrites>();
  #last: EpochWrites | undefined;

  constructor(writes: readonly Step[]) {
    writes.forEach(({ zxid }) => {
      const epoch = epochOf(zxid);
      const known = this.#of(epoch);
      const counter = zxid - epoch * countersOfEpoch;
      if (known === undefined) this.#epochs.set(epoch, { epoch, first: counter, writes: [] });
      else if (counter < known.first) known.first = counter;
    });
    writes.forEach((step) => {
      const epoch = epochOf(step.zxid);
      const known = this.#of(epoch) as EpochWrites;
      const at = step.zxid - epoch * countersOfEpoch - known.first;
      const other = known.writes[at];
      if (other === undefined || other.completedAt < step.completedAt) known.writes[at] = step;
    });
  }

  at(zxid: Zxid): Step | undefined {
    const epoch = epochOf(zxid);
    const known = this.#of(epoch);
    return known?.writes[zxid - epoch * countersOfEpoch - known.first];
  }

  /** Whoever asks mostly asks for the same epoch again. */
  #of(epoch: number): EpochWrites | undefined {
    if (this.#last?.epoch === epoch) return this.#last;
    const known = this.#epochs.get(epoch);
    if (known !== undefined) this.#last = known;
    return known;
  }
}

function epochOf(zxid: Zxid): number {
  return Math.floor(zxid / countersOfEpoch);
}
