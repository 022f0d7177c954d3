/**
 * What all workers together have found out about a model's properties: which components each has ever read, which
 * were exercised, and which judge steps that change nothing they read.
 *
 * What a property reads must be common knowledge, because a state that one worker has judged may be expanded by
 * another one. Whatever was learnt before a chunk was handed over is seen by whoever takes it.
 */
export class Knowledge {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #reads: Uint8Array;
  readonly #flags: Uint8Array;
  readonly #components: number;

  /** `buffer`: another worker's; a new one where absent. */
  constructor(properties: number, components: number, buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(8 + properties * (components + 1));
    this.#components = components;
    this.#words = new Int32Array(this.buffer, 0, 1);
    this.#reads = new Uint8Array(this.buffer, 8, properties * components);
    this.#flags = new Uint8Array(this.buffer, 8 + properties * components, properties);
  }

  /** Changes whenever a property reads a component for the first time. */
  get version(): number {
    return Atomics.load(this.#words, 0);
  }

  reads(property: number, component: number): boolean {
    return this.#reads[property * this.#components + component] === 1;
  }

  /** Notes that a property reads a component. */
  noteRead(property: number, component: number): void {
    if (this.reads(property, component)) return;
    this.#reads[property * this.#components + component] = 1;
    Atomics.add(this.#words, 0, 1);
  }

  /** Whether a property was exercised; of a predicate about stuttering, whether it ever failed. */
  flag(property: number): boolean {
    return this.#flags[property] === 1;
  }

  setFlag(property: number): void {
    this.#flags[property] = 1;
  }
}
