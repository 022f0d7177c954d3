import type { SubRequest, Zxid } from "../../../model/index.ts";
import { Knowledge } from "./knowledge.ts";
import type { Step } from "./steps.ts";

/**
 * The operations of a history by what checkers look at, so that each goes over those only. In order of their
 * invocations, unless said otherwise.
 */
export interface StepLists {
  /** Those with a completion, in order of these. */
  readonly completed: readonly Step[];
  /** The answered ones of them. */
  readonly answered: readonly Step[];
  /** The answered ones at a zxid whose answer the tree determines, in order of their completions. */
  readonly determined: readonly Step[];
  /** The least zxid that was answered, Infinity where there is none: what is older was there before the history. */
  readonly floor: Zxid;
  readonly knowledge: Knowledge;
  /** By session, the greatest zxid at which an answer shows it alive. */
  readonly lastAlive: ReadonlyMap<string, { readonly zxid: Zxid }>;
  /** Writes whose reply's zxid is their own position. */
  readonly positioned: readonly Step[];
  /** Those that may have happened, and nobody was told. */
  readonly open: readonly Step[];
  readonly creates: readonly Step[];
  readonly closings: readonly Step[];
  /** Those that ask for watches, or to be rid of them. */
  readonly watching: readonly Step[];
  /** Those that follow a sync on their session. */
  readonly synced: readonly Step[];
  /** Paths that a client asked to delete. */
  readonly deletedPaths: ReadonlySet<string>;
  /** Paths at which more than one node may have lived, one after the other. */
  readonly mortalPaths: ReadonlySet<string>;
  /** Whether anybody asked for a node with an ACL of its own. */
  readonly usesAcls: boolean;
}

/**
 * Sorts them: at once when it is known what became of them, while they are in the processor's caches, and then in order
 * of their invocations.
 */
export class Lists implements StepLists {
  readonly completed: Step[] = [];
  readonly answered: Step[] = [];
  readonly determined: Step[] = [];
  floor: Zxid = Infinity;
  readonly knowledge: Knowledge = new Knowledge();
  readonly lastAlive: Map<string, { zxid: Zxid }> = new Map();
  readonly positioned: Step[] = [];
  readonly open: Step[] = [];
  readonly creates: Step[] = [];
  readonly closings: Step[] = [];
  readonly watching: Step[] = [];
  readonly synced: Step[] = [];
  readonly deletedPaths: Set<string> = new Set();
  readonly mortalPaths: Set<string> = new Set();
  usesAcls = false;

  /** It is known what became of the step; in order of the completions. */
  completes(step: Step): void {
    this.completed.push(step);
    if (!step.isAnswered) return;
    this.answered.push(step);
    const { zxid, op, session } = step;
    if (zxid <= 0) return;
    if (zxid < this.floor) this.floor = zxid;
    this.knowledge.add(step);
    if (step.isDetermined) this.determined.push(step);
    if (step.outcome !== "ok" || op === "closeSession") return;
    const last = this.lastAlive.get(session);
    if (last === undefined) this.lastAlive.set(session, { zxid });
    else if (zxid > last.zxid) last.zxid = zxid;
  }

  /** In order of the invocations. */
  add(step: Step): void {
    const { op } = step;
    if (step.hasPosition) this.positioned.push(step);
    else if (step.outcome === "unknown") this.open.push(step);
    if (step.setsWatches || op === "removeWatches") this.watching.push(step);
    if (step.syncedSince !== undefined) this.synced.push(step);
    if (op === "create") {
      this.creates.push(step);
      if (step.mode !== "persistent") this.mortalPaths.add(step.path);
      this.usesAcls ||= step.hasAcl;
    } else if (op === "delete") this.#deleted(step.path);
    else if (op === "multi") this.#multi(step.operations);
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
