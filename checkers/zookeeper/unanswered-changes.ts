import { parentPath, type SubRequest } from "../../model/index.ts";
import type { Step } from "./history/steps.ts";

/** The paths that writes without an answer may have changed. */
export class UnansweredChanges {
  readonly #paths = new Set<string>();
  /** Of sequential nodes that may have been created. */
  readonly #prefixes = new Set<string>();
  #mayRepeat = false;

  constructor(open: readonly Step[]) {
    for (const step of open) {
      this.#mayRepeat ||= step.op === "multi";
      for (const part of partsOf(step)) {
        this.#paths.add(part.path).add(parentPath(part.path));
        if (part.op === "create" && part.mode.includes("sequential")) this.#prefixes.add(part.path);
      }
    }
  }

  mayChange(path: string): boolean {
    if (this.#paths.has(path)) return true;
    for (const prefix of this.#prefixes) if (path.startsWith(prefix)) return true;
    return false;
  }

  /** Whether one of them may have changed a path more than once. */
  get mayRepeat(): boolean {
    return this.#mayRepeat;
  }
}

/** The writes that a request consists of. */
function partsOf(step: Step): readonly SubRequest[] {
  if (step.op === "multi") return step.operations;
  const isOne = step.op === "create" || step.op === "delete" || step.op === "setData";
  return isOne ? [step.writeRequest as SubRequest] : [];
}
