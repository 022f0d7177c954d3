/**
 * What all workers together have found out about a model's properties: which components each predicate has ever read,
 * and flags: which were exercised, and which judge steps that change nothing they read.
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
  constructor(predicates: number, components: number, flags: number, buffer?: SharedArrayBuffer) {
    const reads = predicates * components;
    this.buffer = buffer ?? new SharedArrayBuffer(8 + reads + flags);
    this.#components = components;
    this.#words = new Int32Array(this.buffer, 0, 1);
    this.#reads = new Uint8Array(this.buffer, 8, reads);
    this.#flags = new Uint8Array(this.buffer, 8 + reads, flags);
  }

  /** Changes whenever something is noted for the first time. */
  get version(): number {
    return Atomics.load(this.#words, 0);
  }

  reads(predicate: number, component: number): boolean {
    return this.#reads[predicate * this.#components + component] === 1;
  }

  /** Notes that a predicate reads a component. */
  noteRead(predicate: number, component: number): void {
    if (this.reads(predicate, component)) return;
    this.#reads[predicate * this.#components + component] = 1;
    Atomics.add(this.#words, 0, 1);
  }

  flag(flag: number): boolean {
    return this.#flags[flag] === 1;
  }

  setFlag(flag: number): void {
    if (this.flag(flag)) return;
    this.#flags[flag] = 1;
    Atomics.add(this.#words, 0, 1);
  }
}
