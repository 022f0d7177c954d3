import { Worker } from "node:worker_threads";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ModelError, OperationError, type Parameters } from "../../model/index.ts";
import type { Identity } from "./checkpoint.ts";
import type { Finding } from "./expansion.ts";
import type { SharedMemory } from "./shared.ts";

/** How a worker finds the model: symbols and functions can't be sent. */
export interface ModelReference {
  /** The module that exports the definition; null for one of the registry. */
  readonly module: string | null;
  readonly name: string;
  readonly parameters: Parameters;
  readonly variant: string | null;
}

/** What a worker is started with. */
export interface WorkerOrder {
  readonly engine: string;
  readonly model: ModelReference;
  readonly memory: SharedMemory;
  readonly ghosts: readonly string[];
  readonly symmetry: boolean;
  readonly deadlock: boolean;
  readonly worker: number;
  readonly workers: number;
  readonly memoryBytesMax: number;
  readonly depthMax: number;
  readonly alikeAfter: number;
  readonly spill: string | null;
  /** Where to write checkpoints, of what, and the seconds spent before. */
  readonly checkpoint: {
    readonly directory: string;
    readonly identity: Identity;
    readonly secondsBefore: number;
  } | null;
}

export type WorkerReport =
  | { readonly type: "done"; readonly findings: readonly Finding[]; readonly evaluations: number }
  | { readonly type: "failed"; readonly kind: "model" | "other"; readonly message: string }
  | {
      readonly type: "failed";
      readonly kind: "operation";
      readonly code: string;
      readonly message: string;
      readonly hint: string;
    };

/** Changes with the engine, so that a worker that was compiled from another version is recognised. */
export const engineVersion = "3";

/** Runs the workers until all have reported; they end by themselves. Throws ModelError when the model fails in one. */
export async function runCrew(
  orders: readonly WorkerOrder[],
): Promise<Extract<WorkerReport, { type: "done" }>[]> {
  const threads = orders.map((order) => new Worker(workerFile(), { workerData: order, stderr: false }));
  try {
    return await Promise.all(threads.map(reportOf));
  } catch (error) {
    await Promise.all(threads.map((thread) => thread.terminate()));
    throw error;
  }
}

function reportOf(thread: Worker): Promise<Extract<WorkerReport, { type: "done" }>> {
  return new Promise((resolve, reject) => {
    thread.once("message", (report: WorkerReport) => {
      if (report.type === "done") resolve(report);
      else if (report.kind === "operation")
        reject(new OperationError(report.code, report.message, report.hint));
      else if (report.kind === "model") reject(new ModelError(report.message));
      else reject(new Error(`a worker failed: ${report.message}`));
    });
    thread.once("error", reject);
    thread.once("exit", (code) => reject(new Error(`a worker ended early, with code ${code}`)));
  });
}

/** Threads run compiled code: Node 20 does not start one in TypeScript. */
function workerFile(): URL {
  const here = new URL("./worker.js", import.meta.url);
  const file = import.meta.url.endsWith(".ts")
    ? new URL("../../dist/checkers/exploration/worker.js", import.meta.url)
    : here;
  if (!existsSync(fileURLToPath(file))) {
    throw new OperationError(
      "NOT_BUILT",
      "several workers need compiled code",
      "run npm run build, or use one worker",
    );
  }
  return file;
}
