import type { z } from "zod";
import type { ServerName } from "../../clusters/index.ts";
import type { Verdict } from "../../checkers/index.ts";
import type { Event } from "../../model/index.ts";
import type { Random } from "../random.ts";
import type { Session, SessionOptions } from "../session.ts";
import type { World } from "../world.ts";

/** What a worker has: its number, its own random stream, sessions, and the pace that it has to keep. */
export interface Worker {
  readonly number: number;
  readonly world: World;
  readonly random: Random;
  /** Opens a session of its own; connecting happens with its first operation. */
  session(options?: Partial<SessionOptions>): Session;
  /** Waits as the rate asks for between operations. False when it is time to stop. */
  pace(): Promise<boolean>;
}

/** Judges a history. Returns several verdicts where one pass answers several questions. */
export interface Check {
  /** Of the verdict, also where the check could not come to one. */
  readonly name: string;
  run(history: readonly Event[]): Promise<Verdict | readonly Verdict[]>;
}

/**
 * What a worker does when its work is over and all faults are undone, before the final reads: it finishes what it has
 * begun, does once more what shows that it can, and closes its session. `world.stopping` says when time is up.
 */
export type Settle = () => Promise<void>;

/**
 * What clients do with an ensemble, and how the history is judged. Written once for every kind of cluster. To add
 * one: a file beside this, and its entry in `index.ts`.
 */
export interface Workload<Options> {
  /** As in `zabcheck run NAME`. */
  readonly name: string;
  /** For `--help`: one line. */
  readonly summary: string;
  /** From `--option name=value`: strings or nothing, to values with their defaults. */
  readonly options: z.ZodType<Options>;
  /** Makes what the workers need, before the first fault. */
  setup(session: Session, options: Options): Promise<void>;
  /** One worker, until `pace` says stop; and what it has to do once all faults are undone, if anything. */
  work(worker: Worker, options: Options): Promise<Settle | void>;
  /** Final reads through a session that is bound to one server; once for each server, after all is healed. */
  read(session: Session, server: ServerName, options: Options): Promise<void>;
  readonly checks: readonly Check[];
}

/** A workload with options that have been read. What the table holds, whatever the options' type is. */
export interface PreparedWorkload {
  readonly name: string;
  readonly options: object;
  setup(session: Session): Promise<void>;
  work(worker: Worker): Promise<Settle | void>;
  read(session: Session, server: ServerName): Promise<void>;
  readonly checks: readonly Check[];
}

export interface WorkloadEntry {
  readonly name: string;
  readonly summary: string;
  /** Throws InputError for an option that it does not know or a value that does not fit. */
  prepare(options: Readonly<Record<string, string>>): PreparedWorkload;
}
