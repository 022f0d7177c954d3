import { Expansion, type Finding } from "./expansion.ts";
import { Frontier } from "./frontier.ts";
import type { Program } from "./program.ts";
import { stopReason, word, type SharedMemory } from "./shared.ts";
import { Visited } from "./visited.ts";

/** How often a search that runs on the calling thread lets others run. */
const sliceMs = 50;

/** A breadth-first search as one worker takes part in it. */
export class BreadthFirst {
  readonly program: Program;
  readonly control: Int32Array;
  readonly visited: Visited;
  readonly frontier: Frontier;
  readonly expansion: Expansion;
  readonly findings: Finding[] = [];

  constructor(program: Program, memory: SharedMemory, options: { readonly deadlock: boolean }) {
    this.program = program;
    this.control = new Int32Array(memory.control);
    this.visited = new Visited(this.control, memory.visited);
    this.frontier = new Frontier(memory, program.stride);
    const surroundings = {
      makeRoom: (states: number): boolean => this.#makeRoom(states),
      found: (finding: Finding): void => {
        this.findings.push(finding);
      },
    };
    this.expansion = new Expansion(
      program,
      this.visited,
      this.frontier,
      memory.parents,
      surroundings,
      options,
    );
  }

  /** Adds the initial states as the first level. */
  begin(): void {
    for (const [index, state] of this.program.model.initial.entries()) {
      if (!this.expansion.addInitial(this.program.rowOf(state), index)) this.#stop(stopReason.memory);
    }
    this.#endLevel();
  }

  /** Explores on the calling thread, which others may use now and then. */
  async run(): Promise<void> {
    let since = performance.now();
    while (this.control[word.done] === 0) {
      const chunk = this.control[word.stop] === 0 ? this.frontier.take() : undefined;
      if (chunk === undefined) {
        this.#endLevel();
        continue;
      }
      if (!this.expansion.expand(chunk)) this.#stop(stopReason.memory);
      this.#count();
      this.frontier.release(chunk);
      if (performance.now() - since > sliceMs) {
        await new Promise((resolve) => setImmediate(resolve));
        since = performance.now();
      }
    }
  }

  #count(): void {
    Atomics.add(this.control, word.distinct, this.expansion.added);
    this.expansion.added = 0;
  }

  #endLevel(): void {
    this.#count();
    this.expansion.finish();
    const { control } = this;
    if (control[word.stop] !== stopReason.none) {
      control[word.done] = 1;
      return;
    }
    const states = this.frontier.advance();
    if (states > 0) control[word.level] = (control[word.level] as number) + 1;
    if (this.findings.length > 0) this.#stop(stopReason.violation);
    if (states === 0 || control[word.stop] !== stopReason.none) control[word.done] = 1;
  }

  #stop(reason: number): void {
    Atomics.compareExchange(this.control, word.stop, stopReason.none, reason);
  }

  #makeRoom(states: number): boolean {
    this.#count();
    while (!this.visited.hasRoom(states)) if (!this.visited.grow()) return false;
    return true;
  }
}
