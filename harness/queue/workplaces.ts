import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { livenessOf, thisOwner } from "../../clusters/index.ts";
import { ownerSchema } from "../nightly/journal.ts";
import { unwritable } from "../../results/index.ts";

/** Where a worker does its jobs: a folder each, gone once what it left was sent. */

const prefix = "job-";
const ownerFile = "owner.json";
/** A run whose worker was killed ends itself in good order, for which it needs its files. */
const endingMs = 600_000;

/** Throws OperationError where it cannot be made. */
export function makeWorkplace(root: string): string {
  try {
    mkdirSync(root, { recursive: true });
    const directory = resolve(mkdtempSync(join(root, prefix)));
    writeFileSync(join(directory, ownerFile), JSON.stringify(thisOwner()));
    return directory;
  } catch (error) {
    throw unwritable(root, error);
  }
}

export function removeWorkplace(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

/** Moves it to where no sweep comes, and returns its new path. */
export function keepForGood(directory: string, job: string): string {
  const folder = join(directory, "..", "kept");
  mkdirSync(folder, { recursive: true });
  const path = mkdtempSync(join(folder, `${job}-`));
  renameSync(directory, path);
  return path;
}

/** Removes what killed workers left. */
export function sweepWorkplaces(root: string): void {
  if (!existsSync(root)) return;
  for (const name of readdirSync(root)) {
    const directory = join(root, name);
    if (name.startsWith(prefix) && isLeft(directory)) removeWorkplace(directory);
  }
}

function isLeft(directory: string): boolean {
  const isOld = Date.now() - statSync(directory).mtimeMs > endingMs;
  if (!isOld) return false;
  try {
    const owner: unknown = JSON.parse(readFileSync(join(directory, ownerFile), "utf8"));
    return livenessOf(ownerSchema.parse(owner)) === "dead";
  } catch (error) {
    // Cut off while it was made.
    return error instanceof SyntaxError || error instanceof z.ZodError;
  }
}
