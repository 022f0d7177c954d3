import { OperationError } from "../../model/index.ts";
import type { AppliedFault } from "../cluster.ts";
import { type Fault, serversOf, type ServerName } from "../fault.ts";
import { all } from "./all.ts";
import { entries, type Ensemble, mechanismsInOrder } from "./faults/index.ts";
import { lifecycle } from "./faults/lifecycle.ts";
import type { UndoJournal } from "./journal.ts";

interface Active {
  /** A copy: two equal faults are two, and each is undone for itself. */
  readonly fault: Fault;
  /** In the journal. */
  readonly number: number;
  /** Why it could not be applied. */
  failure?: unknown;
  /** What it does in several steps. */
  striking?: Promise<void>;
  ending?: Promise<void>;
}

/**
 * The faults of one ensemble. Each is in the journal, with its undo, before anything is done; they are applied and
 * undone one after the other, as far as a step is one, and undone once.
 */
export class FaultControl {
  readonly #journal: UndoJournal;
  readonly #ensemble: Ensemble;
  /** What servers are to be like. */
  readonly #inForce = new Set<Active>();
  /** Also those that are being undone. */
  readonly #unfinished = new Set<Active>();
  #last: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(journal: UndoJournal, ensemble: Ensemble) {
    this.#journal = journal;
    this.#ensemble = ensemble;
  }

  inForce(): readonly Fault[] {
    return [...this.#inForce].map(({ fault }) => fault);
  }

  unfinished(): readonly Fault[] {
    return [...this.#unfinished].map(({ fault }) => fault);
  }

  /** The servers that need not serve. */
  touched(): ReadonlySet<ServerName> {
    return new Set(this.unfinished().flatMap(serversOf));
  }

  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return await result;
  }

  async apply(wanted: Fault): Promise<AppliedFault> {
    const fault = { ...wanted };
    for (const server of serversOf(fault)) this.#ensemble.member(server);
    const active = await this.inTurn(() => this.#begin(fault));
    try {
      if (active.failure !== undefined) throw active.failure;
      active.striking = entries[fault.kind].strike?.(fault, this.#ensemble) ?? Promise.resolve();
      await active.striking;
    } catch (error) {
      // A fault that could not be applied whole is not applied in part. What cannot be undone now, `heal` tries again.
      await this.#end(active).catch(() => undefined);
      throw error;
    }
    return { fault, undo: () => this.#end(active) };
  }

  /** Throws OperationError "fault" where nothing has been done, and nothing has to be undone. */
  async #begin(fault: Fault): Promise<Active> {
    const reason = await entries[fault.kind].refuse?.(fault, this.#ensemble);
    if (reason !== undefined) {
      throw new OperationError("fault", `no ${fault.kind} now: ${reason}`, "heal the faults before");
    }
    const active: Active = { fault, number: this.#journal.intend(fault, this.#undoOf(fault)) };
    this.#inForce.add(active);
    this.#unfinished.add(active);
    await this.#settle(fault).catch((error: unknown) => {
      active.failure = error;
    });
    return active;
  }

  /** Undoes every fault, the latest first. The first failure is thrown when all were tried. */
  async heal(): Promise<void> {
    const results = await Promise.allSettled(
      [...this.#unfinished].toReversed().map((active) => this.#end(active)),
    );
    const failure = results.find((result) => result.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }

  /** After this nothing is applied or undone any more. */
  stop(): void {
    this.#stopped = true;
    this.#inForce.clear();
    this.#unfinished.clear();
  }

  async #end(active: Active): Promise<void> {
    active.ending ??= this.#undo(active);
    try {
      await active.ending;
    } catch (error) {
      // Still to be undone: it can be tried again, and the journal keeps it.
      delete active.ending;
      throw error;
    }
  }

  async #undo(active: Active): Promise<void> {
    if (this.#stopped) return;
    await this.inTurn(async () => {
      if (!this.#inForce.delete(active)) return;
      try {
        await this.#settle(active.fault);
      } catch (error) {
        this.#inForce.add(active);
        throw error;
      }
    });
    // It sees that the fault is no longer in force, and stops where it can.
    await active.striking?.catch(() => undefined);
    if (this.#stopped) return;
    await entries[active.fault.kind].mend?.(active.fault, this.#ensemble);
    if (this.#stopped) return;
    this.#journal.undone(active.number);
    this.#unfinished.delete(active);
  }

  async #settle(fault: Fault): Promise<void> {
    const { mechanisms } = entries[fault.kind];
    const inForce = this.inForce();
    await all(serversOf(fault), async (server) => {
      const member = this.#ensemble.member(server);
      for (const mechanism of mechanismsInOrder) {
        if (mechanisms.includes(mechanism)) await mechanism.settle(member, inForce, this.#ensemble);
      }
    });
  }

  /** What takes several steps may leave a server dead between two of them. */
  #undoOf(fault: Fault): ReturnType<typeof lifecycle.undo> {
    const { mechanisms } = entries[fault.kind];
    const undone = mechanisms.length === 0 ? [lifecycle] : mechanisms;
    return serversOf(fault).flatMap((server) =>
      undone.flatMap((mechanism) => mechanism.undo(this.#ensemble.member(server))),
    );
  }
}
