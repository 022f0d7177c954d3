import { meet } from "./barrier.ts";
import { Alike } from "./alike.ts";
import { Coverage } from "./coverage.ts";
import { batchMax, Expansion, type Finding } from "./expansion.ts";
import { chunkIntsFor, Frontier } from "./frontier.ts";
import { PackingOutgrown, type Packing } from "./packing.ts";
import { Heaps } from "./heaps.ts";
import { located, pathTo } from "./paths.ts";
import type { Program } from "./program.ts";
import { randomFrom } from "./random.ts";
import { checkSymmetry } from "./symmetry.ts";
import type { Permutation } from "./fingerprints.ts";
import { settle, writeOut, type Unsettled } from "./settle.ts";
import { pauseReason, stopReason, word, type SharedMemory } from "./shared.ts";
import { takeBack } from "./take-back.ts";
import { Visited } from "./visited.ts";
import { walkRowsMax } from "./walk.ts";

/** How often a search that runs on the calling thread lets others run. */
const sliceMs = 50;

export interface SearchOptions {
  readonly deadlock: boolean;
  /** Which of how many workers this is, from 0. */
  readonly worker: number;
  readonly workers: number;
  /** Bytes that the search may take in all. */
  readonly memoryBytesMax: number;
  /** The folder for what does not fit into memory; null where it ends the search. */
  readonly spill: string | null;
  /** Levels beyond this one are not explored. */
  readonly depthMax: number;
  /** From so many states on those that are alike are kept once. Infinity where they are to be written out. */
  readonly alikeAfter: number;
  /** Runs while all wait, at the end of each level that is not the last. */
  readonly betweenLevels?: (frontier: Frontier) => void;
}

/** Chunks in which symmetry is sampled at first, and states that are sampled in each. */
const symmetryChunks = 32;
const symmetrySamples = 4;

/** After so many states decisions are made anew: at first nobody knows what is read, and how many values there are. */
const reorderings: readonly number[] = [8_000, 80_000];

/** Of the memory allowed, what the frontier takes before it goes to disk. */
export const frontierShare = 0.2;
/** A table that holds fewer states than this when it is full is not worth writing out. */
const worthWriting = 20_000;

/** What a worker takes beside its heap and its tables: the runtime. */
const workerBytes = 2 ** 25;

/** A breadth-first search as one worker takes part in it. All of them share `memory`. */
export class BreadthFirst {
  readonly program: Program;
  readonly control: Int32Array;
  readonly visited: Visited;
  readonly frontier: Frontier;
  readonly coverage: Coverage;
  readonly findings: Finding[] = [];
  readonly #expansion: Expansion;
  readonly #alike: Alike;
  readonly #options: SearchOptions;
  readonly #memory: SharedMemory;
  readonly #heaps: Heaps;
  readonly #random: () => number;
  /** States whose successors were made, and how often decisions were made anew. */
  #expanded = 0;
  #reordered = 0;
  /** Chunks taken. */
  #chunks = 0;

  constructor(program: Program, memory: SharedMemory, options: SearchOptions) {
    this.program = program;
    this.#options = options;
    this.#random = randomFrom(options.worker);
    this.#memory = memory;
    this.control = new Int32Array(memory.control);
    this.#heaps = new Heaps(this.control, options.worker);
    this.visited = new Visited(this.control, memory.visited);
    const { spill, memoryBytesMax } = options;
    this.frontier = new Frontier(memory, {
      worker: options.worker,
      workers: options.workers,
      chunkInts: chunkIntsFor(program.strideMax),
      hasMemory: () => this.#hasMemory(0),
      spill: spill === null ? undefined : { folder: spill, frontierBytesMax: frontierShare * memoryBytesMax },
    });
    this.coverage = new Coverage(memory.coverage, options.worker);
    this.#alike = new Alike(this.control, memory.alike, program, {
      ...options,
      batchMax,
      rowsMax: walkRowsMax,
    });
    const surroundings = {
      makeRoom: (states: number): boolean => this.#makeRoom(states),
      found: (finding: Finding): void => this.#found(finding),
      takeBack: (): void => {
        while (program.liveness.isOutdated) {
          Atomics.compareExchange(this.control, word.pause, pauseReason.none, pauseReason.takeBack);
          this.#meet();
        }
      },
    };
    this.#expansion = new Expansion(
      program,
      this.visited,
      this.frontier,
      this.#alike,
      memory.parents,
      surroundings,
      options,
    );
  }

  /** Adds the initial states as the first level. One worker does that alone, before the others start. */
  begin(): void {
    const { initial } = this.program.model;
    // All at once before the first is kept: each may need wider fields than those before.
    for (const state of initial) this.program.rowOf(state);
    for (const [index, state] of initial.entries()) {
      if (!this.#expansion.addInitial(this.program.rowOf(state), index)) this.stop(stopReason.memory);
    }
    this.#count();
    this.#countInstances();
    this.#expansion.finish();
    this.#endLevel();
  }

  /** Explores on the calling thread, which others may use now and then. For one worker. */
  async run(): Promise<void> {
    let since = performance.now();
    while (this.control[word.done] === 0) {
      this.#step();
      if (performance.now() - since > sliceMs) {
        await new Promise((resolve) => setImmediate(resolve));
        since = performance.now();
      }
    }
  }

  /** Explores until all workers are done. */
  runInWorker(): void {
    while (Atomics.load(this.control, word.done) === 0) this.#step();
  }

  /** Closes its files. */
  close(): void {
    this.frontier.close();
  }

  /** Ends the search at the next chunk. The first reason given counts. */
  stop(reason: number): void {
    Atomics.compareExchange(this.control, word.stop, stopReason.none, reason);
  }

  #step(): void {
    const { control } = this;
    if (Atomics.load(control, word.pause) !== pauseReason.none) return this.#meet();
    const chunk = Atomics.load(control, word.stop) === 0 ? this.frontier.take() : undefined;
    if (chunk === undefined) {
      this.#expansion.finish();
      return this.#meet();
    }
    this.program.catchUp();
    this.#heaps.look();
    if (this.#heaps.isFull || !this.#expand(chunk)) this.stop(stopReason.memory);
    this.#count();
    this.frontier.release(chunk);
  }

  #expand(chunk: number): boolean {
    this.#expanded += this.frontier.rowCount(chunk);
    if (this.#expanded > (reorderings[this.#reordered] ?? Number.POSITIVE_INFINITY)) {
      this.#reordered++;
      this.program.transitions.forgetDecisions();
    }
    this.#sampleSymmetry(chunk);
    try {
      for (;;) {
        try {
          return this.#expansion.expand(chunk);
        } catch (error) {
          if (!(error instanceof PackingOutgrown)) throw error;
          this.program.repack();
        }
      }
    } catch (error) {
      const { subject } = this.#expansion;
      throw located(error, () => pathTo(this.program, new Int32Array(this.#memory.parents), subject));
    }
  }

  /** Now and then looks whether the model is as symmetric as it says: in the first chunks, then ever more rarely. */
  #sampleSymmetry(chunk: number): void {
    const { permutations } = this.program.fingerprints;
    if (permutations.length === 1) return;
    const turn = this.#chunks++;
    // Beyond the first, at every power of two.
    if (turn >= symmetryChunks / this.#options.workers && (turn & (turn - 1)) !== 0) return;
    const count = this.frontier.rowCount(chunk);
    const packing = this.program.packings[this.frontier.packing(chunk)] as Packing;
    const stride = packing.words + this.program.fingerprints.width;
    for (let sample = 0; sample < Math.min(count, symmetrySamples); sample++) {
      const at = this.frontier.offset(chunk) + stride * (this.#random() % count);
      const permutation = permutations[1 + (this.#random() % (permutations.length - 1))] as Permutation;
      const state = this.program.stateOf(this.frontier.rows, at, packing);
      checkSymmetry(this.program.model, state, permutation);
    }
  }

  /** Waits for all, at the end of a level or because somebody needs a larger table. */
  #meet(): void {
    this.#count();
    this.#countInstances();
    // What is written out is settled before, and for that it must have been handed over.
    if (Atomics.load(this.control, word.pause) === pauseReason.writeOut) this.#expansion.finish();
    meet(this.control, this.#options.workers, () => {
      const { control } = this;
      const reason = control[word.pause] as number;
      control[word.pause] = pauseReason.none;
      if (reason === pauseReason.none) this.#endLevel();
      else if (reason === pauseReason.writeOut) writeOut(this.#unsettled());
      else if (reason === pauseReason.takeBack) this.#takeBack();
      else if (!this.visited.grow()) this.stop(stopReason.memory);
    });
    this.visited.refresh();
    this.program.liveness.refresh();
  }

  /** Nothing is taken for alike any more that differs in what has turned out to be live. All wait meanwhile. */
  #takeBack(): void {
    const { frontier } = this;
    const it = { program: this.program.fork(), frontier, parents: this.#memory.parents };
    for (const list of [0, 1] as const) {
      const isNew = list === frontier.nextList;
      const mates = this.#alike.takeBack(list);
      const { findings, made } = takeBack(it, mates, list, isNew);
      for (const finding of findings) this.#found(finding);
      if (made === mates.length) continue;
      this.stop(stopReason.memory);
      Atomics.add(this.control, word.matesWaiting, mates.length - made);
    }
    this.program.liveness.agree();
    this.#alike.clear(frontier.currentRows);
  }

  #beginLevel(states: number): void {
    const { liveness } = this.program;
    this.#alike.beginLevel();
    const { alikeAfter } = this.#options;
    if (liveness.dead.length === 0 && this.visited.distinct >= alikeAfter) liveness.agree();
    this.#alike.clear(states);
  }

  #found(finding: Finding): void {
    // One for each property is enough: all of one level are equally deep.
    if (this.findings.some(({ property }) => property === finding.property)) return;
    this.findings.push(finding);
    Atomics.add(this.control, word.findings, 1);
  }

  /** What this worker has counted becomes common. */
  #count(): void {
    const expansion = this.#expansion;
    Atomics.add(this.control, word.distinct, expansion.added);
    Atomics.add(this.control, word.inTable, expansion.added);
    expansion.added = 0;
  }

  /** The same by instance: only when all meet, as it touches much that others write, too. */
  #countInstances(): void {
    const { generated, fresh } = this.#expansion;
    for (let instance = 0; instance < generated.length; instance++) {
      if (generated[instance] === 0) continue;
      this.coverage.add(instance, generated[instance] as number, fresh[instance] as number);
      generated[instance] = fresh[instance] = 0;
    }
  }

  #endLevel(): void {
    const { control } = this;
    if ((control[word.runs] as number) > 0) settle(this.#unsettled());
    if (control[word.stop] !== stopReason.none) {
      control[word.done] = 1;
      return;
    }
    const states = this.frontier.advance();
    this.#beginLevel(states);
    if (states > 0) control[word.level] = (control[word.level] as number) + 1;
    if ((control[word.findings] as number) > 0) this.stop(stopReason.violation);
    else if (states > 0 && (control[word.level] as number) >= this.#options.depthMax)
      this.stop(stopReason.depth);
    if (states === 0 || control[word.stop] !== stopReason.none) control[word.done] = 1;
    else this.#options.betweenLevels?.(this.frontier);
  }

  #makeRoom(states: number): boolean {
    this.#count();
    // Others may be adding a batch of theirs.
    const { workers, spill } = this.#options;
    const atOnce = states + (workers - 1) * batchMax;
    while (!this.visited.hasRoom(atOnce)) {
      if (Atomics.load(this.control, word.stop) === stopReason.memory) return false;
      const canGrow = this.#hasMemory(this.visited.bytesGrown - this.visited.bytes);
      const canWrite = spill !== null && (this.control[word.inTable] as number) >= worthWriting;
      if (!canGrow && !canWrite) return false;
      Atomics.compareExchange(
        this.control,
        word.pause,
        pauseReason.none,
        canGrow ? pauseReason.grow : pauseReason.writeOut,
      );
      this.#meet();
    }
    return true;
  }

  #unsettled(): Unsettled {
    const { program, control, visited, frontier, coverage } = this;
    return {
      control,
      visited,
      frontier,
      coverage,
      parents: new Int32Array(this.#memory.parents, 0, this.#memory.parents.byteLength >>> 2),
      strides: program.packings.map(({ words }) => words + program.fingerprints.width),
      width: program.fingerprints.width,
      folder: this.#options.spill ?? "",
    };
  }

  /** Whether the search may take so many bytes more. */
  #hasMemory(more: number): boolean {
    return this.bytes + more <= this.#options.memoryBytesMax;
  }

  /** Bytes taken by all workers together. */
  get bytes(): number {
    return (
      this.visited.bytes +
      this.parentBytes +
      this.frontier.bytes +
      this.#memory.values.byteLength +
      this.#memory.projections.byteLength +
      this.#alike.bytes +
      this.#heaps.bytes +
      this.#options.workers * (workerBytes + this.program.bytes)
    );
  }

  get parentBytes(): number {
    return 8 * (this.control[word.numbers] as number);
  }
}
