import type { Role } from "./cluster.ts";
import { type Fault, type FaultKind, type FaultOf, serversOf, type ServerName } from "./fault.ts";

/**
 * Why logs may not be damaged now; undefined where they may. What one server loses must be safe on the others: a disk
 * that forgets what it had confirmed is no failure that ZAB stands, so nothing else may be wrong at the time, and
 * fewer than half of the voters may be hit.
 */
export function refuseDamage(
  { servers }: FaultOf<"damage">,
  voters: readonly ServerName[],
  inForce: readonly Fault[],
  roles: ReadonlyMap<ServerName, Role>,
): string | undefined {
  if (2 * servers.length >= voters.length) return "it is for less than half of the voters";
  if (inForce.length > 0) return "another fault is in force";
  const silent = [...roles].filter(([, role]) => role === "none").map(([server]) => server);
  return silent.length === 0 ? undefined : `${silent.join(", ")} does not serve`;
}

/** The same for an ensemble of that many, whatever its state. */
export function refuseDamageOf(voters: number): string | undefined {
  return voters >= 3
    ? undefined
    : `an ensemble of ${voters} has no minority that may lose its log: take 3 servers or more`;
}

const destroying: readonly FaultKind[] = ["disk-full", "disk-error", "damage"];

/**
 * Why a server's disk may not fail now; undefined where it may. Not over yet are the faults of `unfinished`, also those
 * that are being undone. A disk that fails may cost its server what it had logged (ZOOKEEPER-4882): as with damaged
 * logs, that must be fewer than half of the voters at a time.
 */
export function refuseDiskFault(
  fault: Fault,
  voters: readonly ServerName[],
  unfinished: readonly Fault[],
): string | undefined {
  const faults = [fault, ...unfinished].filter(({ kind }) => destroying.includes(kind));
  const hit = new Set(faults.flatMap(serversOf).filter((server) => voters.includes(server)));
  // One server alone has nobody who could be hit besides.
  if (2 * hit.size < voters.length || faults.length === 1) return undefined;
  return "disks of half of the voters would have failed before any was well again";
}
