import type { Layout } from "./layout.ts";

/**
 * Which components are dead: nothing that was ever run has read them, and every effect overwrites them. What a dead
 * component is makes no difference to what follows.
 *
 * Dead variables are those of compilers; Bozga, Fernandez and Ghirvu (State space reduction based on live variables
 * analysis, SAS 1999) drop them from states. Differs: it is found by running instead of by reading the program, may be
 * withdrawn, and states stay apart: only their successors are shared, see `Expanded`.
 */
export class Liveness {
  /** In ascending order. Another array whenever one has turned out to be live. */
  dead: Int32Array;

  /** Ghosts take no part in a state's identity: they are not counted as dead. */
  constructor({ components }: Layout) {
    this.dead = Int32Array.from(
      components.filter(({ variable }) => !variable.ghost).map(({ index }) => index),
    );
  }

  noteRead(component: number): void {
    if (this.dead.includes(component)) this.dead = this.dead.filter((each) => each !== component);
  }

  /** An effect writes these components, whatever they were. */
  noteOverwritten(components: readonly number[]): void {
    if (!this.dead.every((each) => components.includes(each)))
      this.dead = this.dead.filter((each) => components.includes(each));
  }
}
