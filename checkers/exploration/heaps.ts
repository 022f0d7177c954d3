import { getHeapStatistics } from "node:v8";
import { workersMax } from "./coverage.ts";
import { word } from "./shared.ts";

/** A heap that is fuller than this ends an exploration, before the runtime ends the process. */
const fullest = 0.85;
/** Looking costs some microseconds: only every so often. */
const looksMin = 16;

/** What the workers' heaps take (values of the model, and what is known of them), where all workers see it. */
export class Heaps {
  /** This worker's heap can hardly grow any more. */
  isFull = false;
  readonly #control: Int32Array;
  readonly #worker: number;
  #asked = 0;

  constructor(control: Int32Array, worker: number) {
    this.#control = control;
    this.#worker = worker;
    this.#look();
  }

  /** Of all workers together. */
  get bytes(): number {
    let kibibytes = 0;
    for (let worker = 0; worker < workersMax; worker++) {
      kibibytes += this.#control[word.heaps + worker] as number;
    }
    return 1024 * kibibytes;
  }

  /** To be called often. */
  look(): void {
    if (++this.#asked % looksMin === 0) this.#look();
  }

  #look(): void {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    this.#control[word.heaps + this.#worker] = used / 1024;
    this.isFull = used > fullest * limit;
  }
}
