import type { Fault, FaultKind, ServerName } from "../cluster.ts";
import type { UndoStep } from "./journal.ts";
import type { Member } from "./member.ts";
import { filterOf } from "./packet-filter.ts";

export interface Ensemble {
  readonly members: readonly Member[];
  readonly addressOf: (server: ServerName) => string;
}

/**
 * What faults act upon: a server's process, its packet filter. Faults overlap, and one may be undone while another
 * is in force on the same server. Therefore no fault is "applied": an effect brings a server to the state that all
 * faults in force ask for together, from whatever state it is in.
 */
export interface Effect {
  /** The servers whose state a fault changes. */
  servers(fault: Fault): readonly ServerName[];
  /** How another process undoes what this one did to a server, after this one was killed. */
  undo(member: Member): readonly UndoStep[];
  /** Idempotent. */
  settle(member: Member, inForce: readonly Fault[], ensemble: Ensemble): Promise<void>;
}

/** Alive, dead or frozen. */
const lifecycle: Effect = {
  servers: (fault) => (fault.kind === "kill" || fault.kind === "pause" ? fault.servers : []),
  undo: (member) => [
    { step: "unpause", container: member.serverContainer },
    { step: "start", container: member.serverContainer },
  ],
  async settle(member, inForce) {
    const hit = (kind: FaultKind): boolean =>
      inForce.some((fault) => fault.kind === kind && lifecycle.servers(fault).includes(member.name));
    if (hit("kill")) {
      if (!member.killed) await member.killServer();
      return;
    }
    // A server that ended by itself stays dead: that is a finding, not a fault of ours.
    if (member.killed) await member.startServer();
    const state = await member.state();
    if (!state.running || state.paused === hit("pause")) return;
    await (hit("pause") ? member.pauseServer() : member.unpauseServer());
  },
};

/** Whose packets arrive. */
const packets: Effect = {
  servers: (fault) => (fault.kind === "partition" ? [...new Set(fault.cuts.map(([, to]) => to))] : []),
  undo: (member) => [{ step: "open-network", container: member.sideContainer }],
  async settle(member, inForce, { addressOf }) {
    const cuts = inForce.flatMap((fault) => (fault.kind === "partition" ? fault.cuts : []));
    await member.setFilter(filterOf(member.name, cuts, addressOf));
  },
};

export const effects: { readonly [kind in FaultKind]: Effect } = {
  partition: packets,
  kill: lifecycle,
  pause: lifecycle,
};

/** Every server that a fault is about, also those that it only cuts off from others. */
export function serversOf(fault: Fault): readonly ServerName[] {
  return fault.kind === "partition" ? [...new Set(fault.cuts.flat())] : fault.servers;
}
