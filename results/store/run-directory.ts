import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../../model/index.ts";
import { makeNew, pointTo, stampOf, unwritable } from "./folders.ts";
import { manifestSchema, type Manifest } from "./manifest.ts";

/** Where the parts of a run lie below its directory. */
export const runFiles = {
  manifest: "manifest.json",
  history: "history.jsonl",
  faults: "faults.jsonl",
  servers: "servers",
  report: "report.html",
} as const;

/** Where runs are kept when nothing else is said, below the working directory. */
export const defaultResults = "results/runs";

/** A run's directory while it is written. Every change is on disk when the call returns; nothing here waits. */
export class RunDirectory {
  #path: string;
  #manifest: Manifest;

  private constructor(path: string, manifest: Manifest) {
    this.#path = path;
    this.#manifest = manifest;
  }

  /** A run that is kept already. Throws InputError where there is none. */
  static open(path: string): RunDirectory {
    return new RunDirectory(resolve(path), readManifest(path));
  }

  /**
   * Makes `<root>/<scenario>/<time>-<seed>/` and writes the manifest.
   * Throws OperationError where the folder cannot be made or written.
   */
  static create(root: string, manifest: Manifest): RunDirectory {
    const folder = join(resolve(root), fileName(manifest.scenario));
    try {
      mkdirSync(folder, { recursive: true });
      const run = new RunDirectory(makeNew(folder, nameOf(manifest)), manifest);
      run.#write();
      return run;
    } catch (error) {
      throw unwritable(folder, error);
    }
  }

  get path(): string {
    return this.#path;
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  file(name: keyof typeof runFiles): string {
    return join(this.path, runFiles[name]);
  }

  /** Replaces fields of the manifest, atomically. */
  update(change: Partial<Manifest>): void {
    this.#manifest = { ...this.#manifest, ...change };
    try {
      this.#write();
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  /** Points `<root>/latest` and `<root>/<scenario>/latest` here. A link that cannot be made is no reason to lose a run. */
  link(): void {
    const scenario = dirname(this.path);
    pointTo(join(scenario, "latest"), basename(this.path));
    pointTo(join(dirname(scenario), "latest"), join(basename(scenario), basename(this.path)));
  }

  /** Moves the run into the store of another folder on the same file system. Throws OperationError where that cannot be. */
  moveTo(root: string): void {
    const folder = join(resolve(root), fileName(this.#manifest.scenario));
    try {
      mkdirSync(folder, { recursive: true });
      const path = makeNew(folder, nameOf(this.#manifest));
      renameSync(this.#path, path);
      this.#path = path;
    } catch (error) {
      throw unwritable(folder, error);
    }
  }

  /** Removes the directory of a run that never began, and the scenario's folder if nothing else is in it. */
  discard(): void {
    rmSync(this.path, { recursive: true, force: true });
    const scenario = dirname(this.path);
    if (readdirSync(scenario).length === 0) rmSync(scenario, { recursive: true });
  }

  #write(): void {
    writeAtomically(this.file("manifest"), `${JSON.stringify(this.#manifest, null, 2)}\n`);
  }
}

/** Writes a file so that a reader sees the old content or the new, whatever happens in between. */
export function writeAtomically(path: string, content: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, content, { flush: true });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/**
 * Reads a run's manifest.
 * Throws InputError where the directory holds none or it is not of the form.
 */
export function readManifest(directory: string): Manifest {
  const path = join(directory, runFiles.manifest);
  const hint = "give the directory of a run, such as results/runs/register/latest, or 'latest'";
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new InputError(`${directory}: no run is kept here (${path} cannot be read)`, hint, error);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${path}: expected JSON`, hint, error);
  }
  const manifest = manifestSchema.safeParse(parsed);
  if (manifest.success) return manifest.data;
  const issue = manifest.error.issues[0];
  throw new InputError(
    `${path}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a manifest"}`,
    hint,
  );
}

/**
 * The directory that "latest", a run's path or its name below the results folder stands for.
 * Throws InputError where there is none.
 */
export function findRun(name: string, root: string): string {
  const found = candidates(name, root).find(holdsRun);
  if (found !== undefined) {
    const link = lstatSync(found).isSymbolicLink();
    return link ? resolve(dirname(found), readlinkSync(found)) : resolve(found);
  }
  throw new InputError(
    name === "latest" ? `no run is kept in ${root}` : `${name}: no run is kept here`,
    name === "latest" ? "make one: zabcheck run register" : "give a run's directory, or 'latest'",
  );
}

/** Whether `findRun` means a run by this name, or would if there were one. */
export function isRun(name: string, root: string): boolean {
  return name === "latest" || candidates(name, root).some(holdsRun);
}

function candidates(name: string, root: string): readonly string[] {
  return name === "latest" ? [join(root, "latest")] : [name, join(root, name)];
}

function holdsRun(directory: string): boolean {
  return existsSync(join(directory, runFiles.manifest));
}

/** "20260101T120000Z-7": when it began, and its seed. */
function nameOf({ startedAt, seed }: Manifest): string {
  return `${stampOf(startedAt)}-${seed}`;
}

/** Scenario names come from tables, but a name is never a path. */
function fileName(scenario: string): string {
  return scenario.replaceAll(/[^\w.-]+/g, "-").replace(/^\.+/, "") || "run";
}
