import type { Role } from "./cluster.ts";
import type { Fault, FaultOf, ServerName } from "./fault.ts";

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
