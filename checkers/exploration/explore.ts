import { rmSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import {
  InputError,
  ModelError,
  models,
  type Model,
  type ModelDefinition,
  type Parameters,
} from "../../model/index.ts";
import { BreadthFirst, frontierShare, type SearchOptions } from "./breadth-first.ts";
import {
  Checkpoints,
  identityOf,
  readCheckpoint,
  readCheckpointValues,
  type Identity,
} from "./checkpoint.ts";
import { workersMax } from "./coverage.ts";
import { engineVersion, runCrew, type ModelReference } from "./crew.ts";
import type { Finding } from "./expansion.ts";
import { checkModel, checkVariant, completeParameters } from "./parameters.ts";
import { chunkIntsFor } from "./frontier.ts";
import { Program } from "./program.ts";
import type { ExplorationResult } from "./result.ts";
import { makeSharedMemory, stopReason, word, type SharedMemory } from "./shared.ts";
import { checkRecoverability, GraphTooLarge } from "./recoverability.ts";
import { DepthFirst, Simulation, type SequentialOptions } from "./sequential.ts";
import { makeSpillFolder } from "./spill.ts";
import { chosenViolation, summarise, type Ended } from "./summary.ts";
import { symmetriesOf } from "./symmetry.ts";
import { makeValueLog } from "./values.ts";
import type { Visited } from "./visited.ts";

/** How to explore. */
export interface ExplorationOptions {
  /** Of a definition; a model that is built has its own. */
  readonly parameters?: Parameters;
  readonly variant?: string;
  /** The address of the module that exports the definition: several workers need it, unless it is of the registry. */
  readonly module?: string;
  /** States that differ by a permutation of symmetric identities count as one. */
  readonly symmetry?: boolean;
  /** The model's ghost variables take no part in the states' identity. */
  readonly view?: boolean;
  /** A state without successors is a violation. */
  readonly deadlock?: boolean;
  /** Breadth-first by default, which alone finds shortest counterexamples. */
  readonly mode?: "breadth-first" | "depth-first" | "simulation";
  /** Of a simulation: the seed of its choices, 0 by default, and how many walks it takes, 1,000 by default. */
  readonly seed?: number;
  readonly walksMax?: number;
  /** Whether the model's `recoverable` properties are judged; by default up to a million states. */
  readonly recoverability?: boolean;
  /** Threads; 1 by default, which is the calling thread. */
  readonly workers?: number;
  /** Half of the machine's memory by default. When it is reached, the verdict is `unknown`. */
  readonly memoryBytesMax?: number;
  readonly timeMs?: number;
  /** A folder to write checkpoints into, between levels. */
  readonly checkpoint?: string;
  /** A folder with a checkpoint to continue from. */
  readonly resume?: string;
  /** A folder on which to go on where memory is used up. */
  readonly spill?: string;
  /** From so many states on those that differ in dead variables alone are expanded once; 20,000 by default. */
  readonly alikeAfter?: number;
  /** Levels to explore, or steps of a path. */
  readonly depthMax?: number;
  /** Aborted, it ends early, and tells what was found. */
  readonly signal?: AbortSignal;
  /** Told now and then how far it is. */
  readonly onProgress?: (progress: ExplorationProgress) => void;
}

export interface ExplorationProgress {
  readonly distinct: number;
  readonly level: number;
  /** States of this level. */
  readonly frontier: number;
  readonly bytes: number;
}

const progressMs = 250;
const alikeAfterDefault = 20_000;

/**
 * Explores every state that a model can reach, breadth-first, and judges its properties.
 * Throws InputError for parameters that do not fit and for a model that cannot be evaluated.
 */
export async function explore(
  subject: ModelDefinition | Model<unknown>,
  options: ExplorationOptions = {},
): Promise<ExplorationResult> {
  try {
    return await exploreAny(subject, options);
  } catch (error) {
    if (error instanceof ModelError) {
      throw new InputError(`the model ${subject.name}: ${error.message}`, "correct the model", error);
    }
    throw error;
  }
}

async function exploreAny(
  subject: ModelDefinition | Model<unknown>,
  options: ExplorationOptions,
): Promise<ExplorationResult> {
  const model = "kind" in subject ? buildModel(subject, options) : subject;
  checkModel(model);
  checkOptions({ ...options, model });
  const spill = options.spill === undefined ? null : makeSpillFolder(options.spill);
  try {
    return await exploreWith(subject, model, options, spill);
  } finally {
    if (spill !== null) rmSync(spill, { recursive: true, force: true });
  }
}

async function exploreWith(
  subject: ModelDefinition | Model<unknown>,
  model: Model<unknown>,
  options: ExplorationOptions,
  spill: string | null,
): Promise<ExplorationResult> {
  const workers = workersOf(options);
  const reference = workers === 1 ? undefined : referenceOf(subject, model, options);
  const view = options.view === true ? (model.ghosts ?? []) : [];
  const symmetry = options.symmetry === true;
  const identity = identityOf(model, { symmetry, view, deadlock: options.deadlock === true });
  const values = makeValueLog();
  if (options.resume !== undefined) readCheckpointValues(options.resume, identity, values);
  const program = new Program(model, values, {
    ghosts: new Set(view),
    permutations: symmetry ? symmetriesOf(model) : [],
    unpacked: options.mode === "depth-first" || options.mode === "simulation",
  });
  const memory = makeSharedMemory(values, program.shared);
  const memoryBytesMax = options.memoryBytesMax ?? totalmem() / 2;
  const secondsBefore =
    options.resume === undefined
      ? 0
      : readCheckpoint(options.resume, identity, memory, chunkIntsFor(program.strideMax), {
          folder: spill,
          frontierBytesMax: frontierShare * memoryBytesMax,
        });
  const started = performance.now();
  const checkpoints =
    options.checkpoint === undefined
      ? undefined
      : new Checkpoints(options.checkpoint, identity, memory, spill, secondsBefore);
  const searchOptions: SearchOptions = {
    deadlock: options.deadlock === true,
    worker: 0,
    workers,
    memoryBytesMax,
    spill,
    depthMax: options.depthMax ?? Number.POSITIVE_INFINITY,
    alikeAfter: alikeAfter(options),
    betweenLevels: (frontier) => checkpoints?.consider(frontier, (performance.now() - started) / 1000),
  };
  const setting: Setting = { program, memory, view, options };
  if (options.mode === "simulation") return simulate(setting);
  if (options.mode === "depth-first") return depthFirst(setting);
  // The initial states are this thread's; with several workers it is no one of them.
  const first = new BreadthFirst(program, memory, { ...searchOptions, workers: 1 });
  if (options.resume === undefined) first.begin();
  const release = watch(first, memory, options);
  let findings: readonly Finding[];
  try {
    findings =
      reference === undefined
        ? await alone(first)
        : await together(first, { reference, memory, view, identity, searchOptions, secondsBefore, options });
  } finally {
    release();
    first.close();
  }
  const seconds = secondsBefore + (performance.now() - started) / 1000;
  first.visited.refresh();
  const isComplete = first.control[word.stop] === stopReason.none;
  // Values that only workers have met: nobody asks for them where nothing was found.
  if (findings.length > 0) program.catchUp();
  return summarise({
    program,
    memory,
    mode: "breadth-first",
    violation: chosenViolation(program, memory, findings, first.frontier.unexpanded),
    view,
    symmetry,
    workers,
    seconds,
    unexpanded: first.frontier.unexpanded,
    visitedBytes: first.visited.bytes + first.parentBytes,
    frontierBytes: first.frontier.bytes,
    ...recoveriesOf(program, first.visited, isComplete, first.control[word.runs] === 0, options),
  });
}

/** Files hold states that are kept. */
function alikeAfter(options: ExplorationOptions): number {
  const isWritten = options.checkpoint !== undefined || options.spill !== undefined;
  return isWritten ? Number.POSITIVE_INFINITY : (options.alikeAfter ?? alikeAfterDefault);
}

interface Setting {
  readonly program: Program;
  readonly memory: SharedMemory;
  readonly view: readonly string[];
  readonly options: ExplorationOptions;
}

/** Steps of a random walk, where nothing else is said. */
const walkStepsMax = 200;
const walksMaxDefault = 1000;
/** Up to so many states recoverability is judged without being asked for: it takes a second pass. */
const recoverabilityStatesMax = 1_000_000;

async function simulate({ program, memory, view, options }: Setting): Promise<ExplorationResult> {
  const depthMax = options.depthMax ?? walkStepsMax;
  const seed = options.seed ?? 0;
  const walksMax =
    options.walksMax ?? (options.timeMs === undefined ? walksMaxDefault : Number.POSITIVE_INFINITY);
  const search = new Simulation(program, memory, sequentialOptions(options, depthMax));
  const started = performance.now();
  const release = watch(search, memory, options);
  try {
    await search.run(seed, walksMax);
  } finally {
    release();
  }
  const seconds = (performance.now() - started) / 1000;
  const common = sequentialEnding(search, { program, memory, view, options }, seconds);
  return summarise({
    ...common,
    mode: "simulation",
    unexpanded: 0,
    frontierBytes: 0,
    walks: { count: search.walks, depthMax, seed },
  });
}

async function depthFirst({ program, memory, view, options }: Setting): Promise<ExplorationResult> {
  const depthMax = options.depthMax ?? Number.POSITIVE_INFINITY;
  const search = new DepthFirst(program, memory, sequentialOptions(options, depthMax));
  const started = performance.now();
  const release = watch(search, memory, options);
  try {
    await search.run();
  } finally {
    release();
  }
  const seconds = (performance.now() - started) / 1000;
  const common = sequentialEnding(search, { program, memory, view, options }, seconds);
  const { unexpanded, stackBytes } = search;
  const isComplete = search.control[word.stop] === stopReason.none;
  const recoveries = recoveriesOf(program, search.visited, isComplete, true, options);
  return summarise({ ...common, ...recoveries, mode: "depth-first", unexpanded, frontierBytes: stackBytes });
}

function sequentialOptions(options: ExplorationOptions, depthMax: number): SequentialOptions {
  const memoryBytesMax = options.memoryBytesMax ?? totalmem() / 2;
  return { deadlock: options.deadlock === true, memoryBytesMax, depthMax };
}

function sequentialEnding(
  search: DepthFirst | Simulation,
  { program, memory, view, options }: Setting,
  seconds: number,
): Omit<Ended, "mode" | "unexpanded" | "frontierBytes"> {
  return {
    program,
    memory,
    violation: search.finding,
    view,
    symmetry: options.symmetry === true,
    workers: 1,
    seconds,
    visitedBytes: search.visited.bytes,
    recoveries: [],
    notJudged: (program.model.recoverable ?? []).map(({ name }) => ({
      name,
      reason: "not all states were explored",
    })),
  };
}

function recoveriesOf(
  program: Program,
  visited: Visited,
  isComplete: boolean,
  isInMemory: boolean,
  options: ExplorationOptions,
): Pick<Ended, "recoveries" | "notJudged"> {
  const properties = program.model.recoverable ?? [];
  const skip = (reason: string): Pick<Ended, "recoveries" | "notJudged"> => ({
    recoveries: [],
    notJudged: properties.map(({ name }) => ({ name, reason })),
  });
  if (properties.length === 0 || options.recoverability === false) return skip("it was not asked for");
  if (!isComplete) return skip("not all states were explored");
  if (!isInMemory) return skip("the states did not fit into the memory");
  if (options.recoverability !== true && visited.distinct > recoverabilityStatesMax) {
    return skip(
      `there are more than ${recoverabilityStatesMax.toLocaleString("en")} states: ask for it with --recoverability`,
    );
  }
  try {
    program.catchUp();
    const recoveries = checkRecoverability(program, visited, options.memoryBytesMax ?? totalmem() / 2);
    return { recoveries, notJudged: [] };
  } catch (error) {
    if (error instanceof GraphTooLarge) return skip("the graph of states does not fit into the memory");
    throw error;
  }
}

/** Throws InputError for options that exclude each other. */
function checkOptions({
  mode = "breadth-first",
  workers = 1,
  checkpoint,
  resume,
  view,
  model,
}: ExplorationOptions & { model: Model<unknown> }): void {
  if (mode !== "breadth-first" && workers > 1)
    throw new InputError(`${mode} with ${workers} workers`, "only breadth-first exploration takes several");
  if (mode !== "breadth-first" && (checkpoint ?? resume) !== undefined) {
    throw new InputError(
      `${mode} with checkpoints`,
      "only breadth-first exploration writes and resumes them",
    );
  }
  if (view === true && (model.ghosts ?? []).length === 0)
    throw new InputError(`the model ${model.name} has no ghost variables`, "leave out --view");
}

/** A definition's model. Throws InputError for parameters that do not fit, and where the model cannot be built. */
export function buildModel(
  definition: ModelDefinition,
  options: Pick<ExplorationOptions, "parameters" | "variant">,
): Model<unknown> {
  checkVariant(definition, options.variant);
  const parameters = completeParameters(definition, options.parameters ?? {}, options.variant);
  try {
    const model = definition.build(parameters, options.variant);
    checkModel(model);
    return model;
  } catch (error) {
    if (error instanceof InputError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(
      `the model ${definition.name} cannot be built: ${reason}`,
      "correct the model",
      error,
    );
  }
}

/** Throws InputError for a number of workers that this machine should not be asked for. */
function workersOf({ workers = 1 }: ExplorationOptions): number {
  const most = Math.min(workersMax, 4 * availableParallelism());
  if (!Number.isInteger(workers) || workers < 1 || workers > most) {
    throw new InputError(`${workers} workers`, `expected a whole number from 1 to ${most}`);
  }
  return workers;
}

function referenceOf(
  subject: ModelDefinition | Model<unknown>,
  model: Model<unknown>,
  { module }: ExplorationOptions,
): ModelReference {
  if (module === undefined && !models.some(({ name }) => name === subject.name)) {
    throw new InputError(
      `${subject.name} is no model of the registry`,
      "give its module's address, or use one worker",
    );
  }
  return {
    module: module ?? null,
    name: subject.name,
    parameters: model.parameters,
    variant: model.variant ?? null,
  };
}

async function alone(search: BreadthFirst): Promise<readonly Finding[]> {
  await search.run();
  return search.findings;
}

interface Together {
  readonly reference: ModelReference;
  readonly memory: SharedMemory;
  readonly view: readonly string[];
  readonly identity: Identity;
  readonly searchOptions: SearchOptions;
  readonly secondsBefore: number;
  readonly options: ExplorationOptions;
}

async function together(first: BreadthFirst, it: Together): Promise<readonly Finding[]> {
  if (first.control[word.done] !== 0) return first.findings;
  const { deadlock, workers, memoryBytesMax, depthMax, alikeAfter, spill } = it.searchOptions;
  const directory = it.options.checkpoint;
  const orders = Array.from({ length: workers }, (_, worker) => ({
    engine: engineVersion,
    model: it.reference,
    memory: it.memory,
    ghosts: it.view,
    symmetry: it.options.symmetry === true,
    deadlock,
    worker,
    workers,
    memoryBytesMax,
    depthMax,
    alikeAfter,
    spill,
    checkpoint:
      directory === undefined ? null : { directory, identity: it.identity, secondsBefore: it.secondsBefore },
  }));
  const reports = await runCrew(orders);
  return [...first.findings, ...reports.flatMap(({ findings }) => findings)];
}

/** Ends the search when its time is up or its user has had enough, and tells how far it is. Returns what ends the watching. */
function watch(
  search: BreadthFirst | DepthFirst | Simulation,
  memory: SharedMemory,
  { timeMs, signal, onProgress }: ExplorationOptions,
): () => void {
  const control = new Int32Array(memory.control);
  const timer = timeMs === undefined ? undefined : setTimeout(() => search.stop(stopReason.time), timeMs);
  const abort = (): void => search.stop(stopReason.interrupted);
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort);
  const told =
    onProgress === undefined
      ? undefined
      : setInterval(() => {
          onProgress({
            distinct: control[word.distinct] as number,
            level: control[word.level] as number,
            frontier: search instanceof BreadthFirst ? search.frontier.currentRows : 0,
            bytes: search.bytes,
          });
        }, progressMs);
  return () => {
    clearTimeout(timer);
    clearInterval(told);
    signal?.removeEventListener("abort", abort);
  };
}
