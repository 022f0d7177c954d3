import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { InputError } from "../../model/index.ts";
import { makeNew, pointTo, stampOf, unwritable } from "../store/folders.ts";
import { nightSummarySchema, type NightSummary } from "./summary.ts";

/** Where the parts of a night lie below its directory. */
export const nightFiles = {
  /** The plan, its jobs and the night's seed: written before anything else, never changed. */
  night: "night.json",
  /** What has been done: JSON lines, appended. */
  journal: "journal.jsonl",
  /** The runs of each job, in a folder of its name. */
  runs: "runs",
  /** What each job said. */
  logs: "logs",
  summary: "summary.json",
  page: "summary.html",
  markdown: "summary.md",
  junit: "junit.xml",
} as const;

/** The folder of a plan's nights: beside those of workloads and models. */
export function nightsFolder(root: string, plan: string): string {
  return join(resolve(root), `nightly-${plan}`);
}

/**
 * Makes `<root>/nightly-<plan>/<time>-<seed>/`.
 * Throws OperationError where the folder cannot be made.
 */
export function makeNightDirectory(root: string, plan: string, startedAt: string, seed: number): string {
  const folder = nightsFolder(root, plan);
  try {
    mkdirSync(folder, { recursive: true });
    const path = makeNew(folder, `${stampOf(startedAt)}-${seed}`);
    for (const part of [nightFiles.runs, nightFiles.logs]) mkdirSync(join(path, part));
    pointTo(join(folder, "latest"), path.slice(folder.length + 1));
    return path;
  } catch (error) {
    throw unwritable(folder, error);
  }
}

/** The nights of a plan, the oldest first: their names begin with the time. */
export function nightsOf(root: string, plan: string): readonly string[] {
  const folder = nightsFolder(root, plan);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^\d{8}T\d{6}Z-/.test(name) && statSync(join(folder, name)).isDirectory())
    .toSorted()
    .map((name) => join(folder, name));
}

/** A night's summary; undefined where it has none yet. Throws InputError for one that is not of the form. */
export function readSummary(directory: string): NightSummary | undefined {
  const path = join(directory, nightFiles.summary);
  if (!existsSync(path)) return undefined;
  const hint = "remove it, or carry the plan out again";
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new InputError(`${path}: expected JSON`, hint, error);
  }
  const summary = nightSummarySchema.safeParse(parsed);
  if (summary.success) return summary.data;
  const issue = summary.error.issues[0];
  throw new InputError(`${path}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`, hint);
}
