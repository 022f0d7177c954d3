import type { Zxid } from "../../model/index.ts";
import { LeastHeap } from "../least-heap.ts";
import type { Change } from "./replay-state.ts";
import type { WatchStep } from "./history/zookeeper-history.ts";
import type { WatchFindings } from "./watch-findings.ts";
import { eventOf } from "./watch-kinds.ts";
import { type Registration, WatchTable } from "./watch-table.ts";

/**
 * The watches that a server holds for a connection, and what they fire while it applies transactions. Those of which it
 * is known what they have to tell lie on a heap by their next change, so that only the ones that a transaction concerns
 * are looked at.
 */
export class ServerWatches extends WatchTable {
  readonly #findings: WatchFindings;
  readonly #due = new LeastHeap<Registration>(({ due }) => due);
  /** What has fired and must be delivered before anything of a later zxid, with a watch that tells it; in order. */
  readonly #fired = new Map<Change, Registration>();
  /** All that the transaction of `#firedAt`, the last one that concerned a watch, has fired: delivered or not. */
  readonly #firedThen = new Set<Change>();
  #firedAt: Zxid = -1;

  constructor(findings: WatchFindings) {
    super();
    this.#findings = findings;
  }

  override set(watch: Registration): void {
    super.set(watch);
    if (watch.due < Infinity) this.#due.push(watch);
  }

  /** Whether something has fired that is not delivered yet. */
  get hasFired(): boolean {
    return this.#fired.size > 0;
  }

  /** The zxid of the next transaction that concerns a watch; Infinity where none is known. */
  get nextDue(): Zxid {
    while (this.#due.least?.isOver === true) this.#due.popUntil(Infinity);
    return this.#due.least?.due ?? Infinity;
  }

  /** Whether the transaction has fired the change already. */
  isFired(change: Change): boolean {
    return this.#firedThen.has(change);
  }

  /** Nothing is known any more of what has fired. */
  forget(): void {
    this.#fired.clear();
  }

  /** All transactions up to a zxid are applied; what those before it fired must have been told. */
  goTo(zxid: Zxid, seenAt: number): void {
    if (this.#firedAt < zxid) this.#left(seenAt);
    for (;;) {
      const watch = this.#due.popUntil(zxid);
      if (watch === undefined) return;
      if (watch.isOver) continue;
      const { due } = watch;
      this.#left(seenAt);
      this.#fire(watch, due);
      for (let other = this.#due.popUntil(due); other !== undefined; other = this.#due.popUntil(due))
        if (!other.isOver) this.#fire(other, due);
      this.#sort();
      if (due < zxid) this.#left(seenAt);
    }
  }

  /** A reply of that zxid is delivered: all up to it must have been told. */
  passed(zxid: Zxid, seenAt: number): void {
    this.goTo(zxid, seenAt);
    if (this.#firedAt <= zxid) this.#left(seenAt);
  }

  /** Sets a watch that the transaction at `zxid`, which is the last one applied, fires. */
  setLate(watch: Registration, zxid: Zxid): void {
    super.set(watch);
    this.#fire(watch, zxid);
    this.#sort();
  }

  /** Takes an event as one that was fired; undefined where it was not, or of its path something else has to be told first. */
  take({ type, path }: WatchStep): Change | undefined {
    for (const change of this.#fired.keys()) {
      if (change.path !== path) continue;
      if (eventOf[change.type] !== type) return undefined;
      this.#fired.delete(change);
      return change;
    }
    return undefined;
  }

  /** It tells what the transaction changed: a one-shot watch the first change, another all of them. */
  #fire(watch: Registration, zxid: Zxid): void {
    const { changes } = watch;
    if (this.#firedAt !== zxid) this.#firedThen.clear();
    this.#firedAt = zxid;
    while (watch.due === zxid) {
      const change = changes[watch.next++] as Change;
      // Several watches on a change are told as one.
      if (!this.#firedThen.has(change)) this.#fired.set(change, watch);
      this.#firedThen.add(change);
      if (watch.isOneShot) return this.end(watch);
    }
    if (watch.due < Infinity) this.#due.push(watch);
  }

  #sort(): void {
    if (this.#fired.size < 2) return;
    const sorted = [...this.#fired].sort(([a], [b]) => a.order - b.order);
    this.#fired.clear();
    for (const [change, watch] of sorted) this.#fired.set(change, watch);
  }

  /** Something shows that all was told that had fired. */
  #left(seenAt: number): void {
    if (this.#fired.size === 0) return;
    for (const [change, watch] of this.#fired) this.#findings.left(change, watch, seenAt);
    this.#fired.clear();
  }
}
