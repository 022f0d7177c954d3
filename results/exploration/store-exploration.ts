import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { worst, type Trace } from "../../checkers/index.ts";
import { InputError } from "../../model/index.ts";
import type { Manifest } from "../store/manifest.ts";
import { RunDirectory, writeAtomically } from "../store/run-directory.ts";
import { explorationPage, type KeptExploration } from "./exploration-page.ts";

/** Besides manifest.json and report.html. */
const files = { exploration: "exploration.json", trace: "trace.json" } as const;

/** What the manifest needs that only the caller knows. */
export interface ExplorationHost {
  readonly zabcheck: string;
  readonly host: Manifest["host"];
  readonly seed: number;
}

/**
 * Keeps an exploration like a run, below `<root>/explore-<model>/`. Returns its directory.
 * Throws OperationError where the folder can't be written.
 */
export function storeExploration(
  root: string,
  kept: KeptExploration,
  trace: Trace | null,
  { zabcheck, host, seed }: ExplorationHost,
): string {
  const { result, startedAt } = kept;
  const run = RunDirectory.create(root, {
    format: "zabcheck-run",
    formatVersion: 1,
    zabcheck,
    scenario: `explore-${result.model}`,
    seed,
    cluster: {
      kind: "model",
      version: `the model ${result.model}`,
      servers: kept.spaceTime?.lanes.filter((lane) => lane !== "") ?? [],
      defect: result.variant,
    },
    parameters: {
      ...result.parameters,
      mode: result.mode,
      symmetry: result.symmetry,
      view: [...result.view],
    },
    schedule: [],
    host,
    startedAt,
    endedAt: new Date(Date.parse(startedAt) + Math.round(1000 * result.seconds)).toISOString(),
    status: result.ending === "interrupted" ? "interrupted" : "complete",
    error: null,
    operations: 0,
    outcome: worst(result.verdicts.map(({ verdict }) => verdict)),
    verdicts: result.verdicts,
  });
  writeAtomically(join(run.path, files.exploration), `${JSON.stringify(kept)}\n`);
  if (trace !== null) writeAtomically(join(run.path, files.trace), `${JSON.stringify(trace)}\n`);
  renderExploration(run.path);
  run.link();
  return run.path;
}

export function isExploration(directory: string): boolean {
  return existsSync(join(directory, files.exploration));
}

/**
 * The counterexample that is kept with an exploration; undefined where the directory is of something else.
 * Throws InputError for an exploration that found none.
 */
export function explorationTrace(directory: string): string | undefined {
  if (!isExploration(directory)) return undefined;
  const trace = join(directory, files.trace);
  if (existsSync(trace)) return trace;
  throw new InputError(`${directory}: the exploration found no counterexample`, "there is nothing to replay");
}

/** Writes an exploration's report.html anew and returns its path. Throws InputError for what is no exploration. */
export function renderExploration(directory: string): string {
  const source = join(directory, files.exploration);
  let kept: KeptExploration;
  try {
    kept = JSON.parse(readFileSync(source, "utf8")) as KeptExploration;
  } catch (error) {
    throw new InputError(`${source}: cannot be read as an exploration`, "explore anew", error);
  }
  const path = join(directory, "report.html");
  writeAtomically(path, explorationPage(kept));
  return path;
}
