import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Event, Json, SequentialSpecification } from "../../model/light.ts";
import {
  decideAll,
  memoryBytesDefault,
  objectsOf,
  timeMsDefault,
  verdictOn,
  type LinearizabilityOptions,
  type LinearizabilityVerdict,
  type Obj,
} from "./linearizable.ts";
import type { ObjectFinding } from "./object-check.ts";
import { operationsOf, type TimedOperation } from "./operations.ts";

/** What a worker is asked to decide. The specification is named, as functions can't be sent. */
export interface Task {
  readonly specification: string;
  readonly initial: Json | undefined;
  readonly operations: readonly TimedOperation[];
  readonly useSpecialised: boolean;
  readonly timeMs: number;
  readonly bytesMax: number;
}

/**
 * The same as `linearizable`, for a specification of the model's table (`specificationNamed(name, initial)`): objects
 * that are not decided at once are given to worker threads. The first violation ends the run unless `allKeys`.
 */
export async function linearizableInParallel<State>(
  events: readonly Event[],
  specification: SequentialSpecification<State>,
  named: { readonly name: string; readonly initial: Json | undefined },
  options: LinearizabilityOptions = {},
): Promise<LinearizabilityVerdict> {
  const deadline = performance.now() + (options.timeMs ?? timeMsDefault);
  const operations = operationsOf(events, options.locate);
  const objects = objectsOf(operations, specification, options);
  const findings = decideAll(objects, deadline, options, 1);
  const ended = options.allKeys !== true && findings.some((finding) => finding?.verdict === "violated");
  const open = ended ? [] : [...objects.keys()].filter((at) => findings[at]?.verdict === "unknown");
  const file = workerFile();
  const workers = Math.min(open.length, availableParallelism());
  if (open.length > 0 && (workers < 2 || file === undefined)) {
    return verdictOn(objects, decideAll(objects, deadline, options), specification, operations.length);
  }
  if (file !== undefined && open.length > 0) {
    const taskFor = (at: number): Task => ({
      specification: named.name,
      initial: named.initial,
      operations: (objects[at] as Obj<State>).check.operations,
      useSpecialised: options.algorithm !== "search",
      timeMs: Math.max(0, deadline - performance.now()),
      bytesMax: (options.memoryBytes ?? memoryBytesDefault) / workers,
    });
    await decideInWorkers(file, workers, open, taskFor, findings, options.allKeys === true);
  }
  return verdictOn(objects, findings, specification, operations.length);
}

/** The compiled worker: beside this file, beside the bundle that holds it, or in `dist` when tests run the source. */
function workerFile(): URL | undefined {
  const places = [
    "./parallel-worker.js",
    "../checkers/linearizability/parallel-worker.js",
    "../../dist/checkers/linearizability/parallel-worker.js",
  ];
  return places.map((place) => new URL(place, import.meta.url)).find((file) => existsSync(file));
}

async function decideInWorkers(
  file: URL,
  count: number,
  open: readonly number[],
  taskFor: (at: number) => Task,
  findings: (ObjectFinding | undefined)[],
  allKeys: boolean,
): Promise<void> {
  const waiting = [...open];
  const workers = Array.from({ length: count }, () => new Worker(file));
  let isOver = false;
  const work = async (worker: Worker): Promise<void> => {
    for (let at = waiting.shift(); at !== undefined && !isOver; at = waiting.shift()) {
      const finding = await answerOf(worker, taskFor(at));
      if (finding === undefined) return;
      findings[at] = finding;
      if (finding.verdict !== "violated" || allKeys) continue;
      isOver = true;
      await Promise.all(workers.map((each) => each.terminate()));
    }
  };
  try {
    await Promise.all(workers.map(work));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Undefined when the worker was ended. A worker that fails, for want of memory say, leaves its object unknown. */
function answerOf(worker: Worker, task: Task): Promise<ObjectFinding | undefined> {
  return new Promise((resolve) => {
    worker.removeAllListeners();
    worker.once("message", resolve);
    worker.once("error", () => resolve(undefined));
    worker.once("exit", () => resolve(undefined));
    worker.postMessage(task);
  });
}
