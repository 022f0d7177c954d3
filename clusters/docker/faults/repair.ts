import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, ServerName } from "../../fault.ts";
import { serversOf } from "../../fault.ts";
import { knownDefect } from "../known-defects.ts";
import type { Member } from "../member.ts";
import { type Ensemble, heldDead } from "./effect.ts";
import { logWrites } from "./log-writes.ts";

/** How long a server may take from its start to its role. */
export const servingMsMax = 15_000;

/** Starts a dead server, in a turn that the caller has. False where a fault in force keeps it dead. */
export async function startDead(member: Member, ensemble: Ensemble): Promise<boolean> {
  const inForce = ensemble.inForce();
  if (heldDead(member.name, inForce)) return false;
  await member.startServer();
  await logWrites.settle(member, inForce, ensemble);
  return true;
}

/**
 * Stops a server in an orderly way, does something while it is dead, and starts it again. False where it stands still
 * (paused): then nothing is done, and where a fault in force keeps it dead.
 */
export async function restart(
  server: ServerName,
  ensemble: Ensemble,
  meanwhile: (member: Member) => Promise<void> = () => Promise.resolve(),
): Promise<boolean> {
  const member = ensemble.member(server);
  return await ensemble.inTurn(async () => {
    const { running, paused } = await member.state();
    if (paused) return false;
    if (running) await member.stopServer();
    await meanwhile(member);
    return await startDead(member, ensemble);
  });
}

/** Has each of the fault's servers read its disk again: what a failed disk has done to a log shows when it is read. */
export async function restartAndRepair(fault: Fault, ensemble: Ensemble): Promise<void> {
  for (const server of serversOf(fault)) {
    if (await restart(server, ensemble)) await repairWhereRefused(server, ensemble);
  }
}

/** Sees to it that each of the fault's servers, which have been started, serves. */
export async function repair(fault: Fault, ensemble: Ensemble): Promise<void> {
  for (const server of serversOf(fault)) {
    if (!heldDead(server, ensemble.inForce())) await repairWhereRefused(server, ensemble);
  }
}

/**
 * A server that refuses to start because of a defect that is known by number is a finding; as an operator would, it is
 * given an empty disk then, provided that all the others serve, and gets everything from its leader.
 */
async function repairWhereRefused(server: ServerName, ensemble: Ensemble): Promise<void> {
  if ((await ensemble.awaitServing(server, servingMsMax)) !== "ended") return;
  const member = ensemble.member(server);
  const defect = knownDefect(await member.lastLogLines());
  if (defect === undefined) return;
  const emptied = await othersServe(server, ensemble);
  const then = emptied ? "Its data were emptied, and it got all of it from its leader." : "It stays dead.";
  ensemble.found({ server, issue: defect.issue, summary: `${defect.summary} ${then}` });
  if (!emptied) return;
  await ensemble.inTurn(async () => {
    await member.emptyData();
    await startDead(member, ensemble);
  });
  await ensemble.awaitServing(server, servingMsMax);
}

/** Every other voter serves, or will soon. */
async function othersServe(server: ServerName, ensemble: Ensemble): Promise<boolean> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const roles = await ensemble.roles();
    const serve = ensemble.voters.every((other) => other === server || roles.get(other) !== "none");
    if (serve) return true;
    await sleep(250);
  }
  return false;
}
