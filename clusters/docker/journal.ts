import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Fault } from "../fault.ts";

/**
 * What has to be undone, written down before it is done: the next process can undo what a killed one left.
 * JSON lines in the run's scratch folder, each on disk before the fault is applied; a torn last line is a fault that
 * was not applied.
 */

/** One step that undoes something, taken from whatever state there is; taking it twice does no harm. */
export type UndoStep =
  | { readonly step: "start"; readonly container: string }
  | { readonly step: "unpause"; readonly container: string }
  /** Takes away a limit of its processor time. */
  | { readonly step: "unlimit"; readonly container: string }
  /** A container that goes with the fault, and what runs in it. */
  | { readonly step: "remove"; readonly container: string }
  /** Lets every packet pass again; the container is the one that owns the network namespace. */
  | { readonly step: "open-network"; readonly container: string };

const stepSchema = z.object({
  step: z.enum(["start", "unpause", "unlimit", "remove", "open-network"]),
  container: z.string(),
});
const lineSchema = z.union([
  z.object({ fault: z.number(), undo: z.array(stepSchema) }),
  z.object({ undone: z.number() }),
]);

const fileName = "undo.jsonl";

export class UndoJournal {
  readonly #file: number;
  #faults = 0;

  constructor(folder: string) {
    this.#file = openSync(join(folder, fileName), "a", 0o600);
  }

  /** Writes down how `fault` is undone and returns its number. The fault may be applied when this has returned. */
  intend(fault: Fault, undo: readonly UndoStep[]): number {
    const number = this.#faults++;
    this.#write({ fault: number, what: fault, undo });
    return number;
  }

  undone(number: number): void {
    this.#write({ undone: number });
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(line: object): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
    fsyncSync(this.#file);
  }
}

/** The steps that a run's journal leaves to take, the latest fault's first. An absent or torn journal leaves what can be read of it. */
export function openSteps(folder: string): readonly UndoStep[] {
  const open = new Map<number, readonly UndoStep[]>();
  for (const line of readLines(join(folder, fileName))) {
    const parsed = lineSchema.safeParse(line);
    if (!parsed.success) continue;
    if ("undone" in parsed.data) open.delete(parsed.data.undone);
    else open.set(parsed.data.fault, parsed.data.undo);
  }
  return [...open.values()].toReversed().flat();
}

function readLines(path: string): readonly unknown[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map(parseJson);
  } catch {
    return [];
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
