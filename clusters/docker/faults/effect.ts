import type { FaultKind, Fault, ServerName } from "../../fault.ts";
import type { Finding, Role } from "../../cluster.ts";
import type { ZnodeAnswer, ZnodeRequest } from "../../../model/index.ts";
import type { Disks } from "../disks.ts";
import type { Engine } from "../engine.ts";
import type { UndoStep } from "../journal.ts";
import type { Member } from "../member.ts";

/** The ensemble as the faults see it. */
export interface Ensemble {
  readonly voters: readonly ServerName[];
  /** Those that were prepared for. */
  readonly disks: Disks | undefined;
  /** The image of the other release, for upgrades. */
  readonly otherImage: string | undefined;
  member(server: ServerName): Member;
  addressOf(server: ServerName): string;
  inForce(): readonly Fault[];
  /** Also those that are being undone. */
  unfinished(): readonly Fault[];
  /** One after the other: nothing else is applied or undone meanwhile. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  roles(): Promise<ReadonlyMap<ServerName, Role>>;
  /** Waits until the server has a role, or has ended, or the time is over. */
  awaitServing(server: ServerName, timeoutMs: number): Promise<"serves" | "ended" | "silent">;
  /** Has one of the other servers answer a request of an administrator's session; undefined where none does in time. */
  ask(
    request: ZnodeRequest,
    except: readonly ServerName[],
    timeoutMs: number,
  ): Promise<ZnodeAnswer | undefined>;
  found(finding: Finding): void;
}

/**
 * A part of a server's state that faults decide: its life, its packet filter, its disk. Faults overlap, and one may be
 * undone while another is in force on the same server. Therefore such faults are not "applied": a mechanism brings a
 * server to the state that all faults in force ask for together, from whatever state it is in.
 */
export interface Mechanism {
  /** Idempotent, and cheap where the server is as it should be. */
  settle(member: Member, inForce: readonly Fault[], ensemble: Ensemble): Promise<void>;
  /** How another process undoes what this one did to a server, after this one was killed. */
  undo(member: Member): readonly UndoStep[];
}

/** What an ensemble has from its start on only where faults of the run need it. */
export type Preparation = "disks" | "slow-links" | "false-clock" | "spare";

/** Where it is to be found out whether a fault can be done. */
export interface Place {
  readonly engine: Engine;
  readonly labels: Record<string, string>;
  /** The image of the side containers. */
  readonly sideImage: string;
  /** Why it has none of the tools; undefined where it has. */
  readonly sideLacks: string | undefined;
  /** One a server, in their order. */
  readonly images: readonly string[];
  readonly otherImage: string | undefined;
  readonly voters: number;
  /** As far as the images tell. */
  readonly releases: readonly (string | undefined)[];
}

/** What there is to know about one kind of fault. */
export interface FaultEntry {
  /** By what means, for people. */
  readonly how: string;
  readonly mechanisms: readonly Mechanism[];
  readonly needs?: Preparation;
  /** Finds out by trying why it cannot be done there; undefined where it can. */
  probe(place: Place): Promise<string | undefined>;
  /** Why this fault is not for the ensemble as it is now; undefined where it is. Asked before anything is done. */
  refuse?(fault: Fault, ensemble: Ensemble): Promise<string | undefined>;
  /** What it does in several steps, each in a turn of its own, once the mechanisms have settled. */
  strike?(fault: Fault, ensemble: Ensemble): Promise<void>;
  /** What undoing it takes besides settling, likewise. */
  mend?(fault: Fault, ensemble: Ensemble): Promise<void>;
}

/** The faults of these kinds that hit a server. */
export function hits(
  server: ServerName,
  inForce: readonly Fault[],
  ...kinds: readonly FaultKind[]
): readonly Fault[] {
  return inForce.filter(
    (fault) => kinds.includes(fault.kind) && "servers" in fault && fault.servers.includes(server),
  );
}

/** True where a fault in force wants the server dead. */
export function heldDead(server: ServerName, inForce: readonly Fault[]): boolean {
  return hits(server, inForce, "kill", "power-cut").length > 0;
}

/** For probes: nothing that could be missing. */
export function always(): Promise<undefined> {
  return Promise.resolve(undefined);
}

/** What a tool said, on one line. */
export function oneLine(output: string): string {
  return output.replaceAll(/\s+/g, " ").trim().slice(-300);
}
