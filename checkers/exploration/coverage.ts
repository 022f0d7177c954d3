import { growTo } from "./memory.ts";

/** Each instance has a place for so many workers, so that their number can change when an exploration is resumed. */
export const workersMax = 64;

/** How often each instance was taken, summed over workers, in memory that they share. */
export class Coverage {
  readonly #buffer: SharedArrayBuffer;
  readonly #worker: number;
  #counts: Float64Array;

  constructor(buffer: SharedArrayBuffer, worker: number) {
    this.#buffer = buffer;
    this.#worker = worker;
    this.#counts = new Float64Array(buffer, 0, buffer.byteLength >>> 3);
  }

  /** Adds this worker's counts. */
  add(instance: number, generated: number, distinct: number): void {
    const at = 2 * (instance * workersMax + this.#worker);
    if (at + 2 > this.#counts.length) this.#widen(at + 2);
    this.#counts[at] = (this.#counts[at] as number) + generated;
    this.#counts[at + 1] = (this.#counts[at + 1] as number) + distinct;
  }

  /** [generated, distinct] of an instance by all workers. */
  of(instance: number): readonly [number, number] {
    const all = new Float64Array(this.#buffer, 0, this.#buffer.byteLength >>> 3);
    let [generated, distinct] = [0, 0];
    for (let worker = 0; worker < workersMax; worker++) {
      const at = 2 * (instance * workersMax + worker);
      generated += all[at] ?? 0;
      distinct += all[at + 1] ?? 0;
    }
    return [generated, distinct];
  }

  #widen(length: number): void {
    if (
      8 * length > this.#buffer.byteLength &&
      !growTo(this.#buffer, 2 ** 16 * Math.ceil((16 * length) / 2 ** 16))
    ) {
      throw new RangeError("too many instances of actions");
    }
    this.#counts = new Float64Array(this.#buffer, 0, this.#buffer.byteLength >>> 3);
  }
}
