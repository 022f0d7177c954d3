import { mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { OperationError } from "../../model/index.ts";

/** "20260101T120000Z" for a moment in ISO 8601. */
export function stampOf(iso: string): string {
  return iso.replace(/\.\d+Z$/, "Z").replaceAll(/[-:]/g, "");
}

/** Makes a folder of this name, numbered where there is one already. */
export function makeNew(folder: string, name: string): string {
  for (let attempt = 1; attempt <= 1000; attempt++) {
    const path = join(folder, attempt === 1 ? name : `${name}-${attempt}`);
    try {
      mkdirSync(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  throw new Error(`a thousand runs named ${name}`);
}

/** Links are replaced by renaming, so that two runs that end together leave one good link. */
export function pointTo(link: string, target: string): void {
  const draft = `${link}.${process.pid}.tmp`;
  try {
    symlinkSync(target, draft);
    renameSync(draft, link);
  } catch {
    rmSync(draft, { force: true });
  }
}

/** What to say where a folder of results cannot be written. */
export function unwritable(folder: string, error: unknown): OperationError {
  const reason = error instanceof Error ? error.message.replace(/, \w+ '.*$/, "") : String(error);
  return new OperationError(
    "RESULTS_UNWRITABLE",
    `${folder}: cannot be written: ${reason}`,
    "choose another folder with --results DIR",
    error,
  );
}
