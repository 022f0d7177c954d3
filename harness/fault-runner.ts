import { appendFileSync } from "node:fs";
import type { AppliedFault, Fault, ServerName } from "../clusters/index.ts";
import { OperationError, type Json } from "../model/index.ts";
import { families } from "./faults/index.ts";
import type { Schedule, ScheduledFault } from "./faults/schedule.ts";
import type { World } from "./world.ts";

/**
 * The process of fault events in a history. They are of type info, f = the family, and their value tells `id` (of the
 * fault), `action` and more: "apply" with plan, fault and leader, "applied", "undo", "undone"; "skipped" (nothing was
 * done) or "failed" with `error`; "finding" with server, issue and summary, for a known defect that a server has shown.
 * Faults may overlap, so an action and its outcome are told apart by `id`, not by pairing.
 */
export const faultsProcess = "faults";

/** The longest stretch that is slept at once, so that the end of a run is noticed. */
const sliceMs = 200;

/** The most times that a leader is waited for when a plan is aimed at it. */
const leaderAttempts = 10;

/**
 * Applies a schedule and undoes it, fault by fault; two may overlap. Every fault is in the journal before it is
 * applied, and in the history before and after each step.
 */
export class FaultRunner {
  readonly #world: World;
  readonly #schedule: Schedule;
  readonly #journal: string;
  #applied = 0;
  #failed = 0;
  /** Of the cluster's findings so many are in the history. */
  #told = 0;

  constructor(world: World, schedule: Schedule, journal: string) {
    this.#world = world;
    this.#schedule = schedule;
    this.#journal = journal;
  }

  /** Faults that took effect. */
  get applied(): number {
    return this.#applied;
  }

  /** Faults that could not be applied or undone. */
  get failed(): number {
    return this.#failed;
  }

  /** Resolves when every fault of the schedule is undone, or the world stops. */
  async run(): Promise<void> {
    const startNs = this.#world.cluster.clock.now();
    await Promise.all(this.#schedule.map((entry, id) => this.#one(entry, id, startNs)));
  }

  async #one(entry: ScheduledFault, id: number, startNs: number): Promise<void> {
    if (!(await this.#sleepUntil(startNs + entry.startMs * 1e6))) return;
    const resolved = await this.#resolve(entry);
    if (resolved === undefined) {
      this.#record(entry, { id, action: "skipped", plan: entry.plan }, "nothing to aim at");
      return;
    }
    const { leader } = resolved;
    const fault = resolved.fault as unknown as Json;
    this.#write({
      step: "apply",
      id,
      fault,
      undo: "the cluster's own journal tells; `zabcheck clean` does it",
    });
    this.#record(entry, { id, action: "apply", plan: entry.plan, fault, leader: leader ?? null });
    const handle = await this.#attempt(entry, id, () => this.#world.cluster.apply(resolved.fault));
    if (handle === undefined) return;
    this.#applied++;
    this.#write({ step: "applied", id });
    this.#record(entry, { id, action: "applied" });
    await this.#sleepUntil(this.#world.cluster.clock.now() + entry.holdMs * 1e6);
    await this.#undo(entry, id, handle);
  }

  async #undo(entry: ScheduledFault, id: number, handle: AppliedFault): Promise<void> {
    this.#record(entry, { id, action: "undo" });
    const undone = await this.#attempt(entry, id, async () => {
      await handle.undo();
      return true;
    });
    for (const { server, issue, summary } of this.#world.cluster.findings.slice(this.#told)) {
      this.#told++;
      this.#record(entry, { id, action: "finding", server, issue, summary });
    }
    if (undone === undefined) return;
    this.#write({ step: "undone", id });
    this.#record(entry, { id, action: "undone" });
  }

  async #attempt<T>(entry: ScheduledFault, id: number, step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      // A fault that is not for the ensemble as it is now has done nothing.
      if (error.code === "fault") {
        this.#record(entry, { id, action: "skipped", plan: entry.plan }, error.message);
        return undefined;
      }
      this.#failed++;
      this.#write({ step: "failed", id, error: error.message });
      this.#record(entry, { id, action: "failed" }, error.message);
      return undefined;
    }
  }

  /** A plan that is aimed at the leader waits a little for one, as elections are what faults bring about. */
  async #resolve(
    entry: ScheduledFault,
  ): Promise<{ readonly fault: Fault; readonly leader: ServerName | undefined } | undefined> {
    const family = families.find(({ name }) => name === entry.family);
    for (let attempt = 0; attempt < leaderAttempts && family !== undefined; attempt++) {
      const { cluster } = this.#world;
      const roles = await cluster.roles();
      const leader = [...roles].find(([, role]) => role === "leader" || role === "standalone")?.[0];
      const { servers, voters, spares } = cluster;
      const fault = family.resolve(entry.plan, { servers, voters, spares, leader });
      if (fault !== undefined) return { fault, leader };
      if (this.#world.stopping) return undefined;
      await this.#world.sleep(sliceMs);
    }
    return undefined;
  }

  /** False when the world stops before. */
  async #sleepUntil(atNs: number): Promise<boolean> {
    while (!this.#world.stopping) {
      const leftMs = (atNs - this.#world.cluster.clock.now()) / 1e6;
      if (leftMs <= 0) return true;
      await this.#world.sleep(Math.min(sliceMs, leftMs));
    }
    return false;
  }

  #record(entry: ScheduledFault, value: Json, error?: string): void {
    const event = { process: faultsProcess, type: "info", f: entry.family, value } as const;
    this.#world.record(error === undefined ? event : { ...event, error });
  }

  #write(line: { readonly [name: string]: Json }): void {
    appendFileSync(this.#journal, `${JSON.stringify({ time: this.#world.now(), ...line })}\n`);
  }
}
