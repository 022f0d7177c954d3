import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { InputError, OperationError, type Model } from "../../model/index.ts";
import { engineVersion } from "./crew.ts";
import { chunkField, type Frontier } from "./frontier.ts";
import { hashText } from "./hash.ts";
import { growTo } from "./memory.ts";
import { word, type SharedMemory } from "./shared.ts";
import { chunkFile, runFile } from "./spill.ts";
import { logBytes } from "./values.ts";

/** What an exploration is of: a checkpoint of another one can't be resumed. */
export interface Identity {
  readonly engine: string;
  readonly model: string;
  readonly parameters: string;
  readonly variant: string;
  readonly symmetry: boolean;
  readonly view: string;
  readonly deadlock: boolean;
  /** Of the model's code. */
  readonly signature: string;
}

export function identityOf(
  model: Model<unknown>,
  options: { readonly symmetry: boolean; readonly view: readonly string[]; readonly deadlock: boolean },
): Identity {
  return {
    engine: engineVersion,
    model: model.name,
    parameters: JSON.stringify(model.parameters),
    variant: model.variant ?? "",
    symmetry: options.symmetry,
    view: options.view.join(" "),
    deadlock: options.deadlock,
    signature: signatureOf(model),
  };
}

/** Differs when the text of an action or a property differs. */
export function signatureOf(model: Model<unknown>): string {
  const texts = [
    ...model.actions.map(({ name, effect }) => `${name} ${effect.toString()}`),
    ...[...(model.invariants ?? []), ...(model.stepProperties ?? [])].map(
      ({ name, holds }) => `${name} ${holds.toString()}`,
    ),
    String(model.constraint),
  ];
  const { lo, hi } = hashText(texts.join("\n"));
  return `${(hi >>> 0).toString(16)}${(lo >>> 0).toString(16).padStart(8, "0")}`;
}

const format = "zabcheck-checkpoint";
const formatVersion = 2;

interface Header {
  readonly format: typeof format;
  readonly formatVersion: number;
  readonly identity: Identity;
  readonly folder: string;
  /** Ints of a chunk. */
  readonly chunkInts: number;
  readonly control: readonly number[];
  readonly seconds: number;
  /** Bytes of each file. */
  readonly files: { readonly [name: string]: number };
}

const parts = ["values", "visited", "parents", "rows", "chunks", "coverage", "knowledge"] as const;
const writeBytesMax = 2 ** 26;

/**
 * Writes a checkpoint into a folder, while no worker runs. It becomes valid all at once, by a rename; until then the
 * one before is. Throws OperationError where it can't be written; then the one before still is.
 */
export function writeCheckpoint(
  directory: string,
  identity: Identity,
  memory: SharedMemory,
  frontier: Frontier,
  spill: string | null,
  seconds: number,
): void {
  const control = new Int32Array(memory.control);
  // A name of its own: nothing that an earlier checkpoint consists of is touched before this one is valid.
  const folder = `level-${control[word.level]}-${Date.now().toString(36)}`;
  const target = join(directory, folder);
  try {
    mkdirSync(directory, { recursive: true });
    mkdirSync(target);
    const files: Record<string, number> = {};
    for (const part of parts) {
      files[part] = writeWhole(join(target, part), contents(part, memory, frontier));
    }
    for (let run = 0; run < (control[word.runs] as number); run++) {
      const path = runFile(spill ?? "", run);
      linkOrCopy(path, runFile(target, run));
      files[`run-${run}`] = statSync(path).size;
    }
    const header: Header = {
      format,
      formatVersion,
      identity,
      folder,
      chunkInts: frontier.chunkInts,
      control: [...control],
      seconds,
      files,
    };
    const draft = join(directory, "checkpoint.json.tmp");
    writeWhole(draft, [Buffer.from(JSON.stringify(header))]);
    renameSync(draft, join(directory, "checkpoint.json"));
  } catch (error) {
    rmSync(target, { recursive: true, force: true });
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperationError(
      "CHECKPOINT_UNWRITABLE",
      `${directory}: the checkpoint of level ${control[word.level]} could not be written: ${reason}`,
      "the checkpoint of before is still good: free disk space, then continue with --resume",
      error,
    );
  }
  for (const name of readdirSync(directory)) {
    if (/^level-\d+-\w+$/.test(name) && name !== folder)
      rmSync(join(directory, name), { recursive: true, force: true });
  }
}

/** The bytes of a part. Rows are those of the current level, chunk after chunk. */
function* contents(
  part: (typeof parts)[number],
  memory: SharedMemory,
  frontier: Frontier,
): Generator<Uint8Array> {
  const control = new Int32Array(memory.control);
  switch (part) {
    case "values":
      yield logBytes(memory.values);
      break;
    case "parents":
      yield new Uint8Array(
        memory.parents,
        0,
        Math.min(memory.parents.byteLength, 8 * (control[word.numbers] as number)),
      );
      break;
    case "rows":
      for (const { bytes } of frontier.currentChunks()) yield bytes;
      break;
    case "chunks":
      for (const { fields } of frontier.currentChunks()) yield new Uint8Array(fields.buffer);
      break;
    default:
      yield new Uint8Array(memory[part]);
  }
}

/** Runs never change: another name is enough, where the file system has it. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/** Returns how many bytes it wrote; they are on disk then. */
function writeWhole(path: string, pieces: Iterable<Uint8Array>): number {
  const file = openSync(path, "w");
  let bytes = 0;
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length;) {
        const written = writeSync(file, piece, at, Math.min(writeBytesMax, piece.length - at));
        at += written;
        bytes += written;
      }
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return bytes;
}

/** Where what does not fit into memory goes; no folder where it must fit. */
export interface Overflow {
  readonly folder: string | null;
  readonly frontierBytesMax: number;
}

/**
 * Fills memory from a checkpoint, before any worker runs. Returns the seconds spent before it.
 * Throws InputError where there is none, where it is of another model or version, or where it is damaged.
 */
export function readCheckpoint(
  directory: string,
  identity: Identity,
  memory: SharedMemory,
  chunkInts: number,
  overflow: Overflow,
): number {
  const header = readHeader(directory);
  checkIdentity(directory, header, identity);
  const folder = join(directory, header.folder);
  checkFiles(folder, header);
  if (header.chunkInts !== chunkInts) {
    throw new InputError(`${directory}: a checkpoint of another layout`, "explore anew");
  }
  const control = new Int32Array(memory.control);
  control.set(header.control);
  for (const name of ["visited", "parents", "coverage", "knowledge"] as const) {
    readWhole(join(folder, name), memory[name], header.files[name] as number);
  }
  readRuns(directory, folder, control[word.runs] as number, overflow);
  readFrontier(folder, header, memory, control, overflow);
  for (const field of [...transient]) control[word[field]] = 0;
  control.fill(0, word.heaps, word.count);
  return header.seconds;
}

/** Words that mean nothing between levels. */
const transient = [
  "chunksFree",
  "lock",
  "arrived",
  "pause",
  "stop",
  "done",
  "settled",
  "frontierRows",
] as const;

function checkFiles(folder: string, { files }: Header): void {
  for (const [name, expected] of Object.entries(files)) {
    const path = join(folder, name);
    const bytes = existsSync(path) ? statSync(path).size : -1;
    if (bytes === expected) continue;
    const found = bytes < 0 ? "is missing" : `has ${bytes} bytes`;
    throw new InputError(`${path}: ${found}`, `expected ${expected} bytes: the checkpoint is damaged`);
  }
}

function readRuns(directory: string, folder: string, runs: number, overflow: Overflow): void {
  if (runs > 0 && overflow.folder === null) {
    throw new InputError(
      `${directory}: holds states that did not fit into memory`,
      "give a folder for them: --spill FOLDER",
    );
  }
  for (let run = 0; run < runs; run++)
    linkOrCopy(runFile(folder, run), runFile(overflow.folder as string, run));
}

/** The current level: into memory, or where it is too large for that, to disk as it is. */
function readFrontier(
  folder: string,
  { files }: Header,
  memory: SharedMemory,
  control: Int32Array,
  overflow: Overflow,
): void {
  const count = (files["chunks"] as number) / (4 * chunkField.count);
  const list = control[word.current] as 0 | 1;
  const onDisk = overflow.folder !== null && (files["rows"] as number) > overflow.frontierBytesMax;
  if (onDisk) copyFileSync(join(folder, "rows"), chunkFile(overflow.folder as string, list));
  else readWhole(join(folder, "rows"), memory.rows, files["rows"] as number);
  readWhole(
    join(folder, "chunks"),
    onDisk ? memory.diskChunks[list] : memory.chunks,
    files["chunks"] as number,
  );
  growTo(memory.lists[list], 4 * count);
  const entries = Array.from({ length: count }, (_, chunk) => (onDisk ? -1 - chunk : chunk));
  new Int32Array(memory.lists[list], 0, count).set(entries);
  control[word.listed] = control[word.listed + 1] = 0;
  control[word.listed + list] = count;
  control[word.onDisk] = control[word.onDisk + 1] = 0;
  control[word.onDisk + list] = onDisk ? count : 0;
  control[word.chunksMade] = onDisk ? 0 : count;
}

/** The values of a checkpoint: they must be there before a program is made. */
export function readCheckpointValues(directory: string, identity: Identity, values: SharedArrayBuffer): void {
  const header = readHeader(directory);
  checkIdentity(directory, header, identity);
  readWhole(join(directory, header.folder, "values"), values, header.files["values"] as number);
  new Int32Array(values, 0, 2).set([0, header.files["values"] as number]);
}

function readHeader(directory: string): Header {
  const path = join(directory, "checkpoint.json");
  let header: unknown;
  try {
    header = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(
      `${path}: no checkpoint: ${reason}`,
      "give a folder that --checkpoint has written",
      error,
    );
  }
  const it = header as Partial<Header> | null;
  if (typeof it !== "object" || it?.format !== format || typeof it.identity !== "object") {
    throw new InputError(`${path}: no checkpoint`, "give a folder that --checkpoint has written");
  }
  if (it.formatVersion !== formatVersion) {
    throw new InputError(
      `${path}: a checkpoint of format ${String(it.formatVersion)}`,
      `this zabcheck reads format ${formatVersion}`,
    );
  }
  if (!/^level-\d+-\w+$/.test(it.folder ?? ""))
    throw new InputError(`${path}: damaged`, "expected the name of a level's folder");
  return it as Header;
}

function checkIdentity(directory: string, header: Header, identity: Identity): void {
  const before = header.identity as unknown as Record<string, unknown>;
  for (const [field, value] of Object.entries(identity)) {
    if (before[field] === value) continue;
    const what =
      field === "signature" ? "the model's code" : field === "engine" ? "zabcheck's engine" : field;
    const hint =
      field === "signature" || field === "engine"
        ? "explore anew"
        : `there it is ${show(before[field])}, here ${show(value)}`;
    throw new InputError(`${directory}: a checkpoint of another exploration: ${what} differs`, hint);
  }
}

function show(value: unknown): string {
  return value === "" ? "none" : String(value);
}

function readWhole(path: string, buffer: SharedArrayBuffer, bytes: number): void {
  if (buffer.byteLength < bytes && !growTo(buffer, 2 ** 16 * Math.ceil(bytes / 2 ** 16))) {
    throw new OperationError("OUT_OF_MEMORY", `${path}: no memory for ${bytes} bytes`, "free memory");
  }
  const target = new Uint8Array(buffer, 0, bytes);
  const file = openSync(path, "r");
  try {
    for (let at = 0; at < bytes;) {
      const read = readSync(file, target, at, Math.min(writeBytesMax, bytes - at), at);
      if (read === 0) throw new InputError(`${path}: is cut off`, "the checkpoint is damaged");
      at += read;
    }
  } finally {
    closeSync(file);
  }
}

/** Writes checkpoints as often as costs at most a tenth of the time. One for each worker; they share when the last was. */
export class Checkpoints {
  readonly #directory: string;
  readonly #identity: Identity;
  readonly #memory: SharedMemory;
  readonly #secondsBefore: number;
  readonly #spill: string | null;

  constructor(
    directory: string,
    identity: Identity,
    memory: SharedMemory,
    spill: string | null,
    secondsBefore: number,
  ) {
    this.#directory = directory;
    this.#identity = identity;
    this.#memory = memory;
    this.#secondsBefore = secondsBefore;
    this.#spill = spill;
  }

  /** To be called between levels, while all wait. */
  consider(frontier: Frontier, secondsSinceStart: number): void {
    const control = new Int32Array(this.#memory.control);
    const now = Date.now() % 2 ** 30;
    const since = now - (control[word.checkpointAt] as number);
    if (control[word.checkpointAt] !== 0 && since < 10 * (control[word.checkpointMs] as number)) return;
    const before = performance.now();
    writeCheckpoint(
      this.#directory,
      this.#identity,
      this.#memory,
      frontier,
      this.#spill,
      this.#secondsBefore + secondsSinceStart,
    );
    control[word.checkpointMs] = Math.ceil(performance.now() - before);
    control[word.checkpointAt] = Math.max(1, Date.now() % 2 ** 30);
  }
}
