import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../../model/index.ts";
import type { ServerName } from "../fault.ts";
import { askServer, parseServerStatus, type ServerStatus } from "../protocol/index.ts";
import { all } from "./all.ts";
import { knownDefect } from "./known-defects.ts";
import type { Member } from "./member.ts";

const pollMs = 50;
/** Below it a server may be slow; above it it does not answer. */
const statusTimeoutMs = 1_000;

export type Statuses = ReadonlyMap<ServerName, ServerStatus | undefined>;

/** What a wait for a quorum asks of the cluster, each time that it looks. */
export interface Watched {
  /** Servers, and spares that have been started. */
  members(): readonly Member[];
  voters(): readonly ServerName[];
  reach(member: Member): { readonly host: string; readonly port: number };
  /** Servers of which it is known that they do not answer. */
  silent(): ReadonlySet<ServerName>;
  /** Servers that need not serve. */
  faulty(): ReadonlySet<ServerName>;
}

/** Each server's status as it says itself; undefined where it does not answer. */
export async function statusesOf(watched: Watched): Promise<Statuses> {
  const members = watched.members();
  const silent = watched.silent();
  const statuses = await Promise.all(
    members.map((member) => (silent.has(member.name) ? undefined : statusOf(watched.reach(member)))),
  );
  return new Map(members.map(({ name }, i) => [name, statuses[i]]));
}

/** A loaded server sometimes answers `srvr` with nothing: it is asked twice. */
export async function statusOf(where: {
  readonly host: string;
  readonly port: number;
}): Promise<ServerStatus | undefined> {
  for (let attempt = 0; attempt < 2; attempt++) {
    const reply = await askServer("srvr", { ...where, timeoutMs: statusTimeoutMs });
    if (reply.answered) return parseServerStatus(reply.text);
    if (/ECONNREFUSED/.test(reply.reason)) return undefined;
  }
  return undefined;
}

/**
 * Waits until a quorum serves, and every server that no fault touches; returns the servers' statuses then.
 * Throws OperationError "no-quorum" after the time, "server-died" where a server ended that no fault of ours killed.
 */
export async function awaitQuorum(watched: Watched, timeoutMs: number, starting: boolean): Promise<Statuses> {
  const deadline = performance.now() + timeoutMs;
  for (let round = 0; ; round++) {
    const statuses = await statusesOf(watched);
    if (isQuorum(statuses, new Set(watched.voters()), watched.faulty())) return statuses;
    if (round % 10 === 9) await assertAlive(watched, starting);
    if (performance.now() > deadline) throw await noQuorum(watched, timeoutMs, statuses);
    await sleep(pollMs);
  }
}

/** One leader with a majority, and every server that no fault touches serves. One server alone leads nobody: it is "standalone". */
function isQuorum(
  statuses: Statuses,
  voters: ReadonlySet<ServerName>,
  faulty: ReadonlySet<ServerName>,
): boolean {
  const roles = [...statuses].map(([server, status]) => ({ server, role: status?.role ?? "none" }));
  const leaders = roles.filter(({ role }) => role === "leader" || role === "standalone");
  const serving = roles.filter(({ server, role }) => role !== "none" && voters.has(server));
  return (
    leaders.length === 1 &&
    2 * serving.length > voters.size &&
    roles.every(({ server, role }) => role !== "none" || faulty.has(server))
  );
}

async function assertAlive(watched: Watched, starting: boolean): Promise<void> {
  const faulty = watched.faulty();
  for (const member of watched.members()) {
    if (member.killed || faulty.has(member.name)) continue;
    const { running, exitCode, outOfMemory } = await member.state();
    if (running) continue;
    const why = outOfMemory ? "out of memory" : `exit code ${exitCode}`;
    const lines = await member.lastLogLines();
    const defect = knownDefect(lines);
    throw new OperationError(
      "server-died",
      `${member.name} (${member.image}) ended by itself${starting ? " at its start" : ""}, ${why}; its log ends: ${lines}`,
      starting
        ? "is a setting wrong, or does the image not keep the official image's contract (/conf/zoo.cfg, /data/myid)?"
        : defect === undefined
          ? "its whole log is in the run's folder"
          : `${defect.issue}: ${defect.summary}`,
    );
  }
}

async function noQuorum(watched: Watched, timeoutMs: number, statuses: Statuses): Promise<OperationError> {
  const roles = [...statuses].map(([server, status]) => `${server} ${status?.role ?? "silent"}`).join(", ");
  const allSilent = [...statuses.values()].every((status) => status === undefined);
  const lines = await all(watched.members().slice(0, 1), (member) => member.lastLogLines());
  return new OperationError(
    "no-quorum",
    `no quorum within ${timeoutMs} ms: ${roles}; the log of server-1 ends: ${lines[0] ?? ""}`,
    allSilent
      ? "can this machine reach containers' addresses? Where the engine is elsewhere (or Docker Desktop), use --publish"
      : "is the machine overloaded?",
  );
}
