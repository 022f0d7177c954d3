import { OperationError } from "../../model/index.ts";
import type { Fault, ServerName } from "../fault.ts";
import type { Shell } from "./shell.ts";

/** One server's packet filter: what becomes of the packets that it receives, and of those that it sends. Addresses. */
export interface PacketFilter {
  readonly dropFrom: readonly string[];
  /** TCP packets are answered with a reset. */
  readonly resetFrom: readonly string[];
  /** Of the packets from there that share is dropped, drawn for each. */
  readonly loseFrom: readonly { readonly address: string; readonly share: number }[];
  /** Packets to there are marked for slow-links.pl. */
  readonly slowTo: readonly string[];
}

export const openFilter: PacketFilter = { dropFrom: [], resetFrom: [], loseFrom: [], slowTo: [] };

/** The filter of `server` when all these faults are in force at once. Of two losses on one link both take their share. */
export function filterOf(
  server: ServerName,
  inForce: readonly Fault[],
  addressOf: (server: ServerName) => string,
): PacketFilter {
  const dropFrom = new Set<string>();
  const resetFrom = new Set<string>();
  const slowTo = new Set<string>();
  const passing = new Map<string, number>();
  for (const fault of inForce) {
    if (fault.kind === "partition") {
      for (const [from, to] of fault.cuts) if (to === server) dropFrom.add(addressOf(from));
    } else if (fault.kind === "reset") {
      for (const [from, to] of fault.links) if (to === server) resetFrom.add(addressOf(from));
    } else if (fault.kind === "delay") {
      for (const [from, to] of fault.links) if (from === server) slowTo.add(addressOf(to));
    } else if (fault.kind === "loss") {
      for (const [from, to] of fault.links) {
        if (to !== server) continue;
        passing.set(addressOf(from), (passing.get(addressOf(from)) ?? 1) * (1 - fault.share));
      }
    }
  }
  return {
    dropFrom: [...dropFrom].toSorted(),
    resetFrom: [...resetFrom].toSorted(),
    loseFrom: [...passing].map(([address, share]) => ({ address, share: 1 - share })).toSorted(byAddress),
    slowTo: [...slowTo].toSorted(),
  };
}

function byAddress(one: { readonly address: string }, other: { readonly address: string }): number {
  return one.address < other.address ? -1 : 1;
}

/** The marks of slow-links.pl: of what it is to hold, and of what it has held. */
const marks = { held: "0x7a", sent: "0x7b" } as const;

/**
 * The whole table in the form of iptables-restore, which puts it in force at once. Packets are dropped where they
 * arrive: a drop where they are sent would be an error of the sender's own system calls. The table of marks is
 * touched only where links can be slow: a kernel may lack it.
 */
export function tableOf(filter: PacketFilter, withMarks: boolean = filter.slowTo.length > 0): string {
  const { dropFrom, resetFrom, loseFrom, slowTo } = filter;
  const lose = loseFrom.map(
    ({ address, share }) =>
      `-A INPUT -s ${address}/32 -m statistic --mode random --probability ${share.toFixed(6)} -j DROP`,
  );
  return [
    "*filter",
    ":INPUT ACCEPT [0:0]",
    ":FORWARD ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ...dropFrom.map((address) => `-A INPUT -s ${address}/32 -j DROP`),
    // Resets themselves pass, or nobody would learn of them where both directions are reset.
    ...resetFrom.map(
      (address) =>
        `-A INPUT -s ${address}/32 -p tcp -m tcp ! --tcp-flags RST RST -j REJECT --reject-with tcp-reset`,
    ),
    ...lose,
    "COMMIT",
    ...(withMarks ? markTableOf(slowTo) : []),
    "",
  ].join("\n");
}

function markTableOf(slowTo: readonly string[]): readonly string[] {
  return [
    "*mangle",
    ":PREROUTING ACCEPT [0:0]",
    ":INPUT ACCEPT [0:0]",
    ":FORWARD ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ":POSTROUTING ACCEPT [0:0]",
    ...slowTo.map(
      (address) =>
        `-A OUTPUT -d ${address}/32 -m mark ! --mark ${marks.sent} -j MARK --set-mark ${marks.held}`,
    ),
    "COMMIT",
  ];
}

/** The two programs that speak to the two packet filters of Linux; a kernel may have only one. */
export const filterPrograms: readonly string[] = [
  "iptables-nft-restore",
  "iptables-legacy-restore",
  "iptables-restore",
];

/** Finds the program that works in this namespace; undefined where none does, for want of the program, a right or the kernel's part. */
export async function findPacketFilter(shell: Shell): Promise<string | undefined> {
  const attempt = tableOf({ ...openFilter, dropFrom: ["192.0.2.255"] });
  for (const program of filterPrograms) {
    const { code } = await shell.run(program, attempt);
    if (code === 0 && (await shell.run(program, tableOf(openFilter))).code === 0) return program;
  }
  return undefined;
}

/** Puts a filter in force in place of the one before. Throws OperationError "packet-filter". */
export async function setPacketFilter(shell: Shell, program: string, table: string): Promise<void> {
  const { code, output } = await shell.run(program, table);
  if (code === 0) return;
  throw new OperationError(
    "packet-filter",
    `a server's packet filter could not be set: ${output.replaceAll(/\s+/g, " ").trim()}`,
    "does the Docker host's kernel allow iptables in containers with NET_ADMIN?",
  );
}
