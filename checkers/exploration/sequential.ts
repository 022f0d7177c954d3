import { ModelError } from "../../model/index.ts";
import { Coverage } from "./coverage.ts";
import type { Finding } from "./expansion.ts";
import { leastFingerprint } from "./fingerprints.ts";
import { Heaps } from "./heaps.ts";
import { located, type Path } from "./paths.ts";
import type { Program } from "./program.ts";
import { randomFrom } from "./random.ts";
import { stopReason, word, type SharedMemory } from "./shared.ts";
import { field } from "./record.ts";
import type { Instance } from "./transitions.ts";
import { Visited } from "./visited.ts";
import { Walk } from "./walk.ts";
import type { Row } from "./packing.ts";

/** How often a search on the calling thread lets others run. */
const sliceMs = 50;
/** What a row on the stack takes beside its ids. */
const rowOverheadBytes = 120;

export interface SequentialOptions {
  readonly deadlock: boolean;
  readonly memoryBytesMax: number;
  /** Steps of a path. */
  readonly depthMax: number;
}

/** A violation with the path to it, which need not be a shortest one. */
export interface PathFinding extends Finding {
  readonly path: Path;
}

interface Node {
  readonly row: Row;
  readonly depth: number;
  readonly initial: number;
  /** How it was reached. */
  readonly before: Node | undefined;
  readonly instance: number;
}

/** What searches that follow one path at a time have in common. */
abstract class Sequential {
  readonly control: Int32Array;
  readonly visited: Visited;
  readonly heaps: Heaps;
  readonly program: Program;
  readonly options: SequentialOptions;
  finding: PathFinding | undefined;
  /** States on the longest path. */
  depth = 0;
  readonly #coverage: Coverage;
  readonly #walk: Walk;
  #since = performance.now();

  constructor(program: Program, memory: SharedMemory, options: SequentialOptions) {
    this.program = program;
    this.options = options;
    this.control = new Int32Array(memory.control);
    this.heaps = new Heaps(this.control, 0);
    this.visited = new Visited(this.control, memory.visited);
    this.#coverage = new Coverage(memory.coverage, 0);
    this.#walk = new Walk(program.transitions);
  }

  /** What it takes: the stack is part of the heap. */
  get bytes(): number {
    return this.visited.bytes + this.heaps.bytes + this.program.bytes;
  }

  stop(reason: number): void {
    Atomics.compareExchange(this.control, word.stop, stopReason.none, reason);
  }

  get stopped(): boolean {
    return this.control[word.stop] !== stopReason.none;
  }

  protected async breathe(): Promise<void> {
    if (performance.now() - this.#since < sliceMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }

  protected initial(index: number): Node | undefined {
    const row = this.program.rowOf(this.program.model.initial[index]);
    const node: Node = { row, depth: 1, initial: index, before: undefined, instance: -1 };
    const ids = this.program.idsOf(row, 0);
    const broken = this.program.predicates.check(ids);
    if (broken !== undefined) this.#found("invariant", broken.name, node);
    return this.program.predicates.constraint(ids) ? node : undefined;
  }

  /** The effects that are enabled in a node; a deadlock is noted. The array is valid until the next call. */
  protected enabled(node: Node): Int32Array {
    const count = this.#located(node, () => this.#walk.run(node.row, 0, this.program.stride, 1));
    if (count === 0 && this.options.deadlock) this.#found("deadlock", "Deadlock", node);
    return this.#walk.effects.subarray(0, count);
  }

  /** Takes a step, checks it, and tells where it leads; undefined where the constraint ends the path. */
  protected step(node: Node, effectAt: number): Node | undefined {
    const { program } = this;
    const { effects } = program.transitions;
    const row = node.row.slice();
    effects.replay(effectAt, row, 0);
    const instance = this.instanceOf(effectAt);
    const next: Node = { row, depth: node.depth + 1, initial: node.initial, before: node, instance };
    program.catchUp();
    const brokenStep = this.#located(node, () => program.stepProperties.check(effectAt, node.row, 0));
    if (brokenStep !== undefined) this.#found("step", brokenStep, next);
    const ids = program.idsOf(row, 0);
    const broken = this.#located(next, () => program.predicates.checkAfter(effectAt, ids));
    if (broken !== undefined) this.#found("invariant", broken.name, next);
    const stays = this.#located(next, () => program.predicates.constraint(ids));
    return stays ? next : undefined;
  }

  /** Whether a state is new. */
  protected add(node: Node): boolean {
    const { program, visited } = this;
    this.heaps.look();
    if (this.heaps.isFull || this.bytes > this.options.memoryBytesMax) this.stop(stopReason.memory);
    while (!visited.hasRoom(1) && !this.stopped) {
      const more = visited.bytesGrown - visited.bytes;
      if (this.bytes + more > this.options.memoryBytesMax || !visited.grow()) this.stop(stopReason.memory);
    }
    if (this.stopped) return false;
    const { lo, hi } = leastFingerprint(node.row, program.packing.words, program.fingerprints.width);
    if (!visited.add(lo, hi)) return false;
    this.control[word.distinct] = (this.control[word.distinct] as number) + 1;
    this.control[word.inTable] = (this.control[word.inTable] as number) + 1;
    if (node.depth > this.depth) this.control[word.level] = this.depth = node.depth;
    return true;
  }

  protected count(instance: number, isNew: boolean): void {
    this.#coverage.add(instance, 1, isNew ? 1 : 0);
  }

  protected instanceOf(effectAt: number): number {
    return this.program.transitions.effects.records[effectAt + field.instance] as number;
  }

  #found(kind: Finding["kind"], property: string, node: Node): void {
    if (this.finding !== undefined) return;
    this.finding = { kind, property, parent: -1, instance: -1, state: -1, path: this.#pathTo(node) };
    this.stop(stopReason.violation);
  }

  #pathTo(node: Node): Path {
    const instances: Instance[] = [];
    for (let at: Node = node; at.before !== undefined; at = at.before) {
      instances.push(this.program.transitions.instances[at.instance] as Instance);
    }
    return { initial: node.initial, instances: instances.reverse() };
  }

  #located<T>(node: Node, run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw error instanceof ModelError ? located(error, () => this.#pathTo(node)) : error;
    }
  }
}

/** Depth-first: the same states, other paths; for bugs that lie deep, and for the smallest frontier. */
export class DepthFirst extends Sequential {
  /** Bytes of the rows on the stack, at most. */
  stackBytes = 0;
  /** States found and not expanded. */
  unexpanded = 0;

  async run(): Promise<void> {
    const stack: Node[] = [];
    for (const index of this.program.model.initial.keys()) {
      const node = this.initial(index);
      if (node !== undefined && this.add(node)) stack.push(node);
    }
    const rowBytes = 4 * this.program.stride + rowOverheadBytes;
    while (stack.length > 0 && !this.stopped) {
      const node = stack.pop() as Node;
      if (node.depth > this.options.depthMax) {
        this.unexpanded++;
        continue;
      }
      for (const effectAt of this.enabled(node)) {
        const next = this.step(node, effectAt);
        const isNew = next !== undefined && this.add(next);
        this.count(this.instanceOf(effectAt), isNew);
        if (isNew) stack.push(next);
      }
      this.stackBytes = Math.max(this.stackBytes, stack.length * rowBytes);
      await this.breathe();
    }
    this.unexpanded += stack.length;
    if (this.unexpanded > 0) this.stop(stopReason.depth);
  }
}

/** Random walks: each step is drawn among all successors alike. */
export class Simulation extends Sequential {
  walks = 0;
  /** Steps taken in all. */
  steps = 0;

  async run(seed: number, walksMax: number): Promise<void> {
    const random = randomFrom(seed);
    const below = (count: number): number => random() % count;
    while (this.walks < walksMax && !this.stopped) {
      this.walks++;
      let node = this.initial(below(this.program.model.initial.length));
      if (node !== undefined) this.add(node);
      while (node !== undefined && node.depth <= this.options.depthMax && !this.stopped) {
        const enabled = this.enabled(node);
        if (enabled.length === 0) break;
        const effectAt = enabled[below(enabled.length)] as number;
        node = this.step(node, effectAt);
        this.steps++;
        const isNew = node !== undefined && this.add(node);
        this.count(this.instanceOf(effectAt), isNew);
      }
      await this.breathe();
    }
    this.stop(stopReason.depth);
  }
}
