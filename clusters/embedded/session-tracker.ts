interface Tracked {
  readonly timeoutMs: number;
  /** Virtual ns. */
  expiresAt: number;
}

/** The leader's view of who is alive (SessionTrackerImpl). A new leader starts every session's time in full. */
export class SessionTracker {
  readonly #sessions: Map<string, Tracked> = new Map();

  constructor(sessions: ReadonlyMap<string, number>, now: number) {
    for (const [session, timeoutMs] of sessions) this.open(session, timeoutMs, now);
  }

  open(session: string, timeoutMs: number, now: number): void {
    this.#sessions.set(session, { timeoutMs, expiresAt: now + timeoutMs * 1e6 });
  }

  /** False where there is no such session, or not any more. */
  touch(session: string, now: number): boolean {
    const tracked = this.#sessions.get(session);
    if (tracked === undefined) return false;
    tracked.expiresAt = now + tracked.timeoutMs * 1e6;
    return true;
  }

  remove(session: string): void {
    this.#sessions.delete(session);
  }

  /** Removes and returns the sessions that were not heard of in time. */
  expire(now: number): string[] {
    const expired = [...this.#sessions]
      .filter(([, { expiresAt }]) => expiresAt <= now)
      .map(([session]) => session);
    for (const session of expired) this.#sessions.delete(session);
    return expired;
  }
}
