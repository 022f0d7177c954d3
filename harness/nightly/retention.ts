import { existsSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../model/index.ts";
import { nightFiles, nightsOf, readManifest, runFiles, type Manifest } from "../../results/index.ts";
import type { Plan } from "./plan.ts";

const dayMs = 86_400_000;

interface PassedRun {
  readonly directory: string;
  readonly startedMs: number;
  readonly bytes: number;
}

export interface Removed {
  readonly runs: number;
  readonly bytes: number;
}

/**
 * Removes runs of a plan's nights that hold and are older than the plan keeps them, then the oldest of those that hold
 * until all of them together are no larger than it keeps. Everything else stays: runs that were violated, that are
 * unknown or were cut off, that repeat or shrink another; and of every night its journal, its logs and its summary.
 * `current` names the jobs that are at work now: nothing of theirs is touched.
 */
export function retain(
  results: string,
  name: string,
  keep: Plan["keep"],
  nowMs: number,
  isAtWork: (directory: string) => boolean = () => false,
): Removed {
  const runs = nightsOf(results, name)
    .flatMap(passedRuns)
    .filter(({ directory }) => !isAtWork(directory))
    .toSorted((a, b) => a.startedMs - b.startedMs);
  let bytes = runs.reduce((sum, run) => sum + run.bytes, 0);
  const removed: PassedRun[] = [];
  for (const run of runs) {
    const tooOld = keep.days !== undefined && nowMs - run.startedMs > keep.days * dayMs;
    const tooLarge = keep.size !== undefined && bytes > keep.size;
    if (!tooOld && !tooLarge) continue;
    rmSync(run.directory, { recursive: true, force: true });
    bytes -= run.bytes;
    removed.push(run);
  }
  return { runs: removed.length, bytes: removed.reduce((sum, run) => sum + run.bytes, 0) };
}

/** The runs of a night that came to their verdicts and hold. */
function passedRuns(night: string): readonly PassedRun[] {
  return below(join(night, nightFiles.runs))
    .flatMap(below)
    .flatMap(below)
    .flatMap((directory) => {
      const manifest = manifestOf(directory);
      if (manifest === undefined || !isExpendable(manifest)) return [];
      return [{ directory, startedMs: Date.parse(manifest.startedAt), bytes: sizeOf(directory) }];
    });
}

function isExpendable({ status, outcome, parameters }: Manifest): boolean {
  const isEvidenceOfAnother = parameters["replayOf"] !== undefined || parameters["shrunkFrom"] !== undefined;
  return status === "complete" && outcome === "holds" && !isEvidenceOfAnother;
}

function manifestOf(directory: string): Manifest | undefined {
  if (!existsSync(join(directory, runFiles.manifest))) return undefined;
  try {
    return readManifest(directory);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Folders in a folder; links are not followed. */
function below(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name));
}

function sizeOf(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
