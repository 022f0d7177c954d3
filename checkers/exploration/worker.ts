import { parentPort, workerData } from "node:worker_threads";
import { ModelError, models, OperationError, type Model, type ModelDefinition } from "../../model/index.ts";
import { Checkpoints } from "./checkpoint.ts";
import { BreadthFirst } from "./breadth-first.ts";
import { engineVersion, type ModelReference, type WorkerOrder, type WorkerReport } from "./crew.ts";
import type { Frontier } from "./frontier.ts";
import { definitionsOf } from "./definitions.ts";
import { Program } from "./program.ts";
import { symmetriesOf } from "./symmetry.ts";

/** A worker thread of an exploration: `runCrew` starts it with its order and awaits one report. */
try {
  report(await work(workerData as WorkerOrder));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof OperationError) {
    report({ type: "failed", kind: "operation", code: error.code, message, hint: error.hint });
  } else report({ type: "failed", kind: error instanceof ModelError ? "model" : "other", message });
}

function report(message: WorkerReport): void {
  parentPort?.postMessage(message);
}

async function work(order: WorkerOrder): Promise<WorkerReport> {
  if (order.engine !== engineVersion)
    throw new Error("it was compiled from another version: run npm run build");
  const model = await find(order.model);
  const program = new Program(model, order.memory.values, {
    ghosts: new Set(order.ghosts),
    permutations: order.symmetry ? symmetriesOf(model) : [],
    shared: order.memory,
  });
  const { checkpoint } = order;
  const started = performance.now();
  const checkpoints =
    checkpoint === null
      ? undefined
      : new Checkpoints(
          checkpoint.directory,
          checkpoint.identity,
          order.memory,
          order.spill,
          checkpoint.secondsBefore,
        );
  const betweenLevels = (frontier: Frontier): void =>
    checkpoints?.consider(frontier, (performance.now() - started) / 1000);
  const search = new BreadthFirst(program, order.memory, { ...order, betweenLevels });
  search.runInWorker();
  return { type: "done", findings: search.findings, evaluations: program.transitions.evaluations };
}

async function find({ module, name, parameters, variant }: ModelReference): Promise<Model<unknown>> {
  const known: readonly ModelDefinition[] = module === null ? models : definitionsOf(await import(module));
  const definition = known.find((each) => each.name === name);
  if (definition === undefined) throw new ModelError(`the model ${name} is not to be found by a worker`);
  return definition.build(parameters, variant ?? undefined);
}
