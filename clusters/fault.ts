/** "server-1", "server-2", ... */
export type ServerName = string;

/** The way from one server to another: what the second receives of the first. */
export type Link = readonly [from: ServerName, to: ServerName];

/** A fault as it stands in schedules and histories: plain JSON. Durations in ms, shares from 0 to 1. */
export type Fault =
  /** No packet passes from the first to the second of each pair. */
  | { readonly kind: "partition"; readonly cuts: readonly Link[] }
  /** That share of the packets is lost. */
  | { readonly kind: "loss"; readonly links: readonly Link[]; readonly share: number }
  /** Every packet is under way for so much longer, in order; how much is drawn for each. */
  | {
      readonly kind: "delay";
      readonly links: readonly Link[];
      readonly delayMs: readonly [min: number, max: number];
    }
  /** What the second receives of the first is answered with a reset (RST), also attempts to connect. */
  | { readonly kind: "reset"; readonly links: readonly Link[] }
  /** SIGKILL: what the process had handed to its system survives. */
  | { readonly kind: "kill"; readonly servers: readonly ServerName[] }
  | { readonly kind: "pause"; readonly servers: readonly ServerName[] }
  /** The server dies, and with it what its disk had not confirmed (fsync). */
  | { readonly kind: "power-cut"; readonly servers: readonly ServerName[] }
  /** So little of one processor is left to each. */
  | { readonly kind: "starve"; readonly servers: readonly ServerName[]; readonly share: number }
  | { readonly kind: "disk-full"; readonly servers: readonly ServerName[] }
  /** Every write to the transaction log fails, or every fsync of it. */
  | {
      readonly kind: "disk-error";
      readonly servers: readonly ServerName[];
      readonly operation: DiskOperation;
    }
  /** Every fsync of the transaction log takes so much longer. */
  | { readonly kind: "slow-disk"; readonly servers: readonly ServerName[]; readonly delayMs: number }
  /** The servers are stopped, their newest transaction logs damaged, and started again. */
  | { readonly kind: "damage"; readonly servers: readonly ServerName[]; readonly damage: LogDamage }
  /** The servers' wall clocks jump ahead, or back. */
  | { readonly kind: "clock"; readonly servers: readonly ServerName[]; readonly offsetMs: number }
  /** The servers' own timers, by which they expire sessions and give up on each other, run so much faster. */
  | { readonly kind: "clock-rate"; readonly servers: readonly ServerName[]; readonly rate: number }
  /** One after the other is stopped in an orderly way and started again, in this order. */
  | { readonly kind: "rolling-restart"; readonly servers: readonly ServerName[] }
  /** One after the other goes on with the other release, in this order; undone, they come back. */
  | { readonly kind: "upgrade"; readonly servers: readonly ServerName[] }
  /** Servers leave the ensemble, and spare ones join it. */
  | {
      readonly kind: "reconfig";
      readonly leaving: readonly ServerName[];
      readonly joining: readonly ServerName[];
    };

export type FaultKind = Fault["kind"];

/** Every kind, in the order in which they are told. */
export const faultKinds: readonly FaultKind[] = Object.keys({
  partition: true,
  loss: true,
  delay: true,
  reset: true,
  kill: true,
  pause: true,
  "power-cut": true,
  starve: true,
  "disk-full": true,
  "disk-error": true,
  "slow-disk": true,
  damage: true,
  clock: true,
  "clock-rate": true,
  "rolling-restart": true,
  upgrade: true,
  reconfig: true,
} satisfies { readonly [kind in FaultKind]: true }) as FaultKind[];

export type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;

export type DiskOperation = "write" | "fsync";
/** `torn`: the log ends in the middle of its last record. `flipped`: one bit in its middle is another. */
export type LogDamage = "torn" | "flipped";

/** The links that a fault is about. */
export function linksOf(fault: Fault): readonly Link[] {
  switch (fault.kind) {
    case "partition":
      return fault.cuts;
    case "loss":
    case "delay":
    case "reset":
      return fault.links;
    default:
      return [];
  }
}

/** Every server that a fault is about, each once: it need not serve while the fault is in force. */
export function serversOf(fault: Fault): readonly ServerName[] {
  if ("servers" in fault) return [...new Set(fault.servers)];
  if (fault.kind === "reconfig") return [...new Set([...fault.leaving, ...fault.joining])];
  return [...new Set(linksOf(fault).flat())];
}
