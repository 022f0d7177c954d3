import { OperationError } from "../../model/index.ts";
import type { ServerName } from "../cluster.ts";
import type { Shell } from "./shell.ts";

/** One server's packet filter: whose packets it no longer receives. */
export interface PacketFilter {
  /** Addresses. */
  readonly dropFrom: readonly string[];
}

/** What `to` must not receive, when all these cuts are in force at once. */
export function filterOf(
  to: ServerName,
  cuts: Iterable<readonly [ServerName, ServerName]>,
  addressOf: (server: ServerName) => string,
): PacketFilter {
  const senders = new Set<string>();
  for (const [from, receiver] of cuts) if (receiver === to) senders.add(addressOf(from));
  return { dropFrom: [...senders].toSorted() };
}

/**
 * The whole table in the form of iptables-restore, which puts it in force at once. Packets are dropped where they
 * arrive: a drop where they are sent would be an error of the sender's own system calls.
 */
export function tableOf(filter: PacketFilter): string {
  return [
    "*filter",
    ":INPUT ACCEPT [0:0]",
    ":FORWARD ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ...filter.dropFrom.map((address) => `-A INPUT -s ${address}/32 -j DROP`),
    "COMMIT",
    "",
  ].join("\n");
}

/** The two programs that speak to the two packet filters of Linux; a kernel may have only one. */
const programs = ["iptables-nft-restore", "iptables-legacy-restore", "iptables-restore"];

/** Finds the program that works in this namespace; undefined where none does, for want of the program, a right or the kernel's part. */
export async function findPacketFilter(shell: Shell): Promise<string | undefined> {
  for (const program of programs) {
    const { code } = await shell.run(program, tableOf({ dropFrom: ["192.0.2.255"] }));
    if (code === 0 && (await shell.run(program, tableOf({ dropFrom: [] }))).code === 0) return program;
  }
  return undefined;
}

/** Puts a filter in force in place of the one before. Throws OperationError "packet-filter". */
export async function setPacketFilter(shell: Shell, program: string, filter: PacketFilter): Promise<void> {
  const { code, output } = await shell.run(program, tableOf(filter));
  if (code === 0) return;
  throw new OperationError(
    "packet-filter",
    `a server's packet filter could not be set: ${output.replaceAll(/\s+/g, " ").trim()}`,
    "does the Docker host's kernel allow iptables in containers with NET_ADMIN?",
  );
}
