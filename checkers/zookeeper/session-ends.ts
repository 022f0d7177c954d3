import type { Zxid } from "../../model/index.ts";
import type { Step } from "./steps.ts";

/** What is known of the lives of sessions from the answers that they got. */
export class SessionLives {
  readonly #lastAlive = new Map<string, Zxid>();
  readonly #closed = new Set<string>();

  constructor(steps: readonly Step[]) {
    for (const step of steps) {
      if (step.op === "closeSession" && step.outcome === "ok") this.#closed.add(step.session);
      else if (step.outcome === "ok" && step.zxid > (this.#lastAlive.get(step.session) ?? 0)) {
        this.#lastAlive.set(step.session, step.zxid);
      }
    }
  }

  /** Whether the session can have ended unseen before `zxid`: no answer shows it alive there, and none closed it. */
  mayEnd(session: string, zxid: Zxid): boolean {
    return !this.#closed.has(session) && (this.#lastAlive.get(session) ?? 0) < zxid;
  }
}
