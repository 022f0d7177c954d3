import { setTimeout as sleep } from "node:timers/promises";
import type { Zxid } from "../../../model/index.ts";
import { type Fault, serversOf, type ServerName } from "../../fault.ts";
import { holeInLog, knownDefect } from "../known-defects.ts";
import type { Member } from "../member.ts";
import { type Ensemble, heldDead } from "./effect.ts";
import { logWrites } from "./log-writes.ts";
import { lostRecords } from "./lost-records.ts";

/** How long a server may take from its start to its role. */
export const servingMsMax = 15_000;

/** Fewer lines than a server writes when it starts, so that nothing of an earlier life is among them. */
const logTailLines = 50;

/** Starts a dead server, in a turn that the caller has. False where a fault in force keeps it dead. */
export async function startDead(member: Member, ensemble: Ensemble): Promise<boolean> {
  const inForce = ensemble.inForce();
  if (heldDead(member.name, inForce)) return false;
  await member.startServer();
  await logWrites.settle(member, inForce, ensemble);
  return true;
}

export interface RestartOptions {
  /** What is done while the server is dead. */
  readonly meanwhile?: (member: Member) => Promise<void>;
  /** Starts also one that has ended by itself: where that is what the fault did. Else it is a finding, and stays dead. */
  readonly revive?: boolean;
}

/**
 * Stops a server in an orderly way and starts it again. False where it is not started: where it stands still (paused)
 * or has ended by itself nothing is done at all, and a fault in force may keep it dead.
 */
export async function restart(
  server: ServerName,
  ensemble: Ensemble,
  { meanwhile, revive = false }: RestartOptions = {},
): Promise<boolean> {
  const member = ensemble.member(server);
  return await ensemble.inTurn(async () => {
    const { running, paused } = await member.state();
    const ended = !running && !member.killed;
    if (paused || (ended && !revive)) return false;
    if (running) await member.stopServer();
    await meanwhile?.(member);
    return await startDead(member, ensemble);
  });
}

/**
 * Has each of the fault's servers read its disk again: what a failed disk has done to a log shows when it is read. A
 * log that will not give back what stands in it is a finding, whether or not the server notices.
 */
export async function restartAndRepair(fault: Fault, ensemble: Ensemble): Promise<void> {
  for (const server of serversOf(fault)) {
    const meanwhile = (member: Member): Promise<void> => repairLog(member, ensemble);
    if (await restart(server, ensemble, { revive: true, meanwhile }))
      await repairWhereRefused(server, ensemble);
  }
}

/** Empties the data of a dead server that has lost records without knowing it, if all the others serve. */
async function repairLog(member: Member, ensemble: Ensemble): Promise<void> {
  const snapshots: Zxid[] = [];
  const isLog = (name: string): boolean => /\/version-2\/log\.[0-9a-f]+$/.test(name);
  const logs = await member.readFiles(member.logFolder, isLog);
  await member.readFiles("/data", (name) => {
    const zxid = /\/version-2\/snapshot\.([0-9a-f]+)$/.exec(name)?.[1];
    if (zxid !== undefined) snapshots.push(Number.parseInt(zxid, 16));
    return false;
  });
  const lost = lostRecords(logs, snapshots);
  if (lost === undefined) return;
  const emptied = await othersServe(member.name, ensemble);
  if (emptied) await member.emptyData();
  const summary = `After an error of its disk it logged on behind what it could not write: ${lost}. ${outcome(emptied)}`;
  ensemble.found({ server: member.name, issue: holeInLog, summary });
}

function outcome(emptied: boolean): string {
  return emptied ? "Its data were emptied, and it got all of it from its leader." : "It was left as it is.";
}

/** Once all faults are undone: servers that have ended by themselves, for what is known. */
export async function repairAll(servers: readonly ServerName[], ensemble: Ensemble): Promise<void> {
  for (const server of servers) {
    const member = ensemble.member(server);
    if (!member.killed && !(await member.state()).running) await repairWhereRefused(server, ensemble);
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
export async function repairWhereRefused(server: ServerName, ensemble: Ensemble): Promise<void> {
  if ((await ensemble.awaitServing(server, servingMsMax)) !== "ended") return;
  const member = ensemble.member(server);
  const defect = knownDefect(await member.log(logTailLines));
  if (defect === undefined) return;
  const serve = await othersServe(server, ensemble);
  const emptied = serve && (await ensemble.inTurn(() => beginAnew(member, ensemble)));
  ensemble.found({ server, issue: defect.issue, summary: `${defect.summary} ${outcome(emptied)}` });
  if (emptied) await ensemble.awaitServing(server, servingMsMax);
}

/**
 * Starts a dead server with an empty disk, in a turn that the caller has. False where it runs: another fault, such as
 * an upgrade, has started it before this one's turn, and what runs must not lose its files.
 */
async function beginAnew(member: Member, ensemble: Ensemble): Promise<boolean> {
  if ((await member.state()).running) return false;
  await member.emptyData();
  await startDead(member, ensemble);
  return true;
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
