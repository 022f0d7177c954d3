import type { Layout } from "./layout.ts";

/** Ints before the dead components: how often they were agreed upon, and how many they are. */
const header = { version: 0, dead: 1, count: 2 } as const;

/**
 * Which components are dead: nothing that was ever run has read them, and every effect overwrites them. What a dead
 * component is makes no difference to what follows, nor to any property.
 *
 * Dead variables are those of compilers; Bozga, Fernandez and Ghirvu (State space reduction based on live variables
 * analysis, SAS 1999) drop them from states. Differs: what is dead is found by running instead of by reading the program,
 * so that it may turn out to be live; and states stay apart, see `Alike`.
 */
export class Liveness {
  readonly buffer: SharedArrayBuffer;
  /** What all workers take for dead, in ascending order. At first that is nothing. Another array whenever it changes. */
  dead: Int32Array = new Int32Array(0);
  /** One of `dead` has turned out to be live. */
  isOutdated = false;
  readonly #words: Int32Array;
  /** For each component: 1 where it is live. */
  readonly #live: Int32Array;
  #version = 0;

  /** Ghosts take no part in a state's identity: they are never dead. `buffer`: another worker's; a new one where absent. */
  constructor({ components }: Layout, buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(4 * (header.count + 2 * components.length));
    const start = header.count + components.length;
    this.#words = new Int32Array(this.buffer, 0, start);
    this.#live = new Int32Array(this.buffer, 4 * start, components.length);
    for (const { index, variable } of components) if (variable.ghost) this.#live[index] = 1;
    this.refresh();
  }

  noteRead(component: number): void {
    if (this.#live[component] === 0) Atomics.store(this.#live, component, 1);
    // Also where another worker knows it already: until all have met, this one takes it for dead.
    if (this.dead.includes(component)) this.isOutdated = true;
  }

  /** An effect writes these components, whatever they were, and leaves the others as they are, or a function of that. */
  noteOverwritten(components: readonly number[]): void {
    for (let component = 0; component < this.#live.length; component++) {
      const isDead = this.#live[component] === 0 || this.dead.includes(component);
      if (isDead && !components.includes(component)) this.noteRead(component);
    }
  }

  /** From now on all that is not known to be live counts as dead. To be called while all workers wait. */
  agree(): void {
    const dead = [...this.#live.keys()].filter((component) => this.#live[component] === 0);
    this.#words.set(dead, header.count);
    this.#words[header.dead] = dead.length;
    this.#words[header.version] = (this.#words[header.version] as number) + 1;
    this.refresh();
  }

  /** To be called when all have waited for each other. */
  refresh(): void {
    const version = this.#words[header.version] as number;
    if (version === this.#version) return;
    this.#version = version;
    this.dead = this.#words.slice(header.count, header.count + (this.#words[header.dead] as number));
    this.isOutdated = false;
  }
}
