import type { Zxid } from "../../model/index.ts";
import { firstAtLeast } from "../ascending.ts";
import type { Step } from "./history/steps.ts";
import type { ZookeeperHistory } from "./history/zookeeper-history.ts";

type SessionSources = Pick<ZookeeperHistory, "lastAlive" | "closings" | "positioned" | "sessions">;

/** What is known of the lives of sessions from the answers that they got. */
export class SessionLives {
  readonly #lastAlive: ZookeeperHistory["lastAlive"];
  readonly #closed = new Set<string>();
  /** A zxid that is above the session's end. */
  readonly #overAt = new Map<string, Zxid>();

  constructor({ lastAlive, closings, positioned, sessions }: SessionSources) {
    this.#lastAlive = lastAlive;
    for (const { outcome, session, zxid } of closings) {
      if (outcome !== "ok") continue;
      this.#closed.add(session);
      if (zxid > 0) this.#overAt.set(session, zxid + 0.5);
    }
    const told = sessions.filter(({ what }) => what.f === "session-expired");
    if (told.length === 0) return;
    const later = new LaterWrites(positioned);
    for (const { index, what } of told) {
      const known = this.#overAt.get(what.session) ?? Infinity;
      this.#overAt.set(what.session, Math.min(known, later.leastAfter(index)));
    }
  }

  /** Whether the session can have ended unseen before `zxid`: no answer shows it alive there, and none closed it. */
  mayEnd(session: string, zxid: Zxid): boolean {
    return !this.#closed.has(session) && this.lastAlive(session) < zxid;
  }

  /** The greatest zxid at which an answer shows it alive. */
  lastAlive(session: string): Zxid {
    return this.#lastAlive.get(session)?.zxid ?? 0;
  }

  /** A zxid before which it ended; Infinity where none is known. */
  overAt(session: string): Zxid {
    return this.#overAt.get(session) ?? Infinity;
  }
}

/** The writes that begin after a moment, all of which have greater zxids than what was committed by then. */
class LaterWrites {
  readonly #invoked: number[] = [];
  readonly #least: Float64Array;

  constructor(writes: readonly Step[]) {
    writes.forEach(({ invokedAt }) => this.#invoked.push(invokedAt));
    this.#least = new Float64Array(writes.length + 1).fill(Infinity);
    for (let i = writes.length - 1; i >= 0; i--)
      this.#least[i] = Math.min(this.#least[i + 1] as number, (writes[i] as Step).zxid);
  }

  leastAfter(index: number): Zxid {
    return this.#least[firstAtLeast(this.#invoked, index)] as number;
  }
}
