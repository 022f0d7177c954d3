import type { SubRequest } from "../../model/index.ts";
import type { Step } from "./steps.ts";

/** The operations of a history by what checkers look at, so that each goes over those only. All in order of their invocations. */
export interface StepLists {
  /** Writes whose reply's zxid is their own position. */
  readonly positioned: readonly Step[];
  /** Those that may have happened, and nobody was told. */
  readonly open: readonly Step[];
  readonly creates: readonly Step[];
  readonly closings: readonly Step[];
  /** Those that ask for watches, or to be rid of them. */
  readonly watching: readonly Step[];
  /** Answered reads of a node or its children. */
  readonly treeReads: readonly Step[];
  /** Those that follow a sync on their session. */
  readonly synced: readonly Step[];
  /** Paths that a client asked to delete. */
  readonly deletedPaths: ReadonlySet<string>;
  /** Paths at which more than one node may have lived, one after the other. */
  readonly mortalPaths: ReadonlySet<string>;
  /** Whether anybody asked for a node with an ACL of its own. */
  readonly usesAcls: boolean;
}

/** Sorts them in one go: each look at a step that is not in the processor's caches costs more than what is done with it. */
export function listsOf(steps: readonly Step[]): StepLists {
  const lists = new Lists();
  steps.forEach((step) => lists.add(step));
  return lists;
}

class Lists implements StepLists {
  readonly positioned: Step[] = [];
  readonly open: Step[] = [];
  readonly creates: Step[] = [];
  readonly closings: Step[] = [];
  readonly watching: Step[] = [];
  readonly treeReads: Step[] = [];
  readonly synced: Step[] = [];
  readonly deletedPaths = new Set<string>();
  readonly mortalPaths = new Set<string>();
  usesAcls = false;

  add(step: Step): void {
    const { op } = step;
    if (step.hasPosition) this.positioned.push(step);
    else if (step.outcome === "unknown") this.open.push(step);
    if (step.setsWatches || op === "removeWatches") this.watching.push(step);
    if (step.syncedSince !== undefined) this.synced.push(step);
    if (op === "getData" || op === "exists" || op === "getChildren") {
      if (step.isAnswered) this.treeReads.push(step);
    } else if (op === "create") {
      this.creates.push(step);
      if (step.request["mode"] !== "persistent") this.mortalPaths.add(step.path);
      this.usesAcls ||= step.request["acl"] !== undefined;
    } else if (op === "delete") this.#deleted(step.path);
    else if (op === "multi") this.#multi(step.request["operations"] as unknown as readonly SubRequest[]);
    else if (op === "closeSession") this.closings.push(step);
    else if (op === "setACL") this.usesAcls = true;
  }

  #multi(parts: readonly SubRequest[]): void {
    for (const part of parts) {
      if (part.op === "delete") this.#deleted(part.path);
      if (part.op !== "create") continue;
      this.mortalPaths.add(part.path);
      this.usesAcls ||= part.acl !== undefined;
    }
  }

  #deleted(path: string): void {
    this.deletedPaths.add(path);
    this.mortalPaths.add(path);
  }
}
