import { parentPath } from "../../model/index.ts";
import type { Step } from "./history/steps.ts";
import type { Candidate } from "./unanswered.ts";

/**
 * Which paths can have to do with each other through something unseen: paths of one multi, a node that may have been
 * created or deleted and its parent, the ephemeral nodes of one session. Union-find (Tarjan, JACM 22(2), 1975).
 */
export class Components {
  readonly #above = new Map<string, string>();

  constructor(candidates: readonly Candidate[], creates: readonly Step[]) {
    for (const { requests } of candidates) {
      const [first] = requests;
      for (const request of requests) {
        if (request.op === "create" || request.op === "delete")
          this.#join(request.path, parentPath(request.path));
        if (first !== undefined) this.#join(first.path, request.path);
      }
    }
    const sessionsOf = new Map<string, Set<string>>();
    /** The first path of each session. */
    const firstOf = new Map<string, string>();
    for (const step of creates) {
      if (!step.createsEphemeral) continue;
      const { path, session } = step;
      let sessions = sessionsOf.get(path);
      if (sessions === undefined) {
        sessionsOf.set(path, (sessions = new Set()));
        this.#join(path, parentPath(path));
      }
      if (!sessions.has(session)) {
        sessions.add(session);
        const first = firstOf.get(session);
        if (first === undefined) firstOf.set(session, path);
        else this.#join(path, first);
      }
      // A sequential node that nothing else is about is its parent's, and so is the path that was asked for.
      if (step.outcome === "ok" && this.#above.has(step.created)) this.#join(path, step.created);
    }
  }

  related(a: string, b: string): boolean {
    return this.#find(this.#known(a)) === this.#find(this.#known(b));
  }

  /** A child that nothing unseen is about by itself is its parent's. */
  #known(path: string): string {
    return this.#above.has(path) ? path : parentPath(path);
  }

  #find(path: string): string {
    let root = path;
    for (let next = this.#above.get(root); next !== undefined && next !== root; next = this.#above.get(root))
      root = next;
    for (let each = path; each !== root;) {
      const next = this.#above.get(each) ?? root;
      this.#above.set(each, root);
      each = next;
    }
    return root;
  }

  #join(a: string, b: string): void {
    if (!this.#above.has(a)) this.#above.set(a, a);
    if (!this.#above.has(b)) this.#above.set(b, b);
    this.#above.set(this.#find(a), this.#find(b));
  }
}
