import { OperationError } from "../../../model/index.ts";
import { refuseDamage, refuseDamageOf } from "../../disk-rules.ts";
import type { LogDamage, ServerName } from "../../fault.ts";
import { bufferSource, readLog } from "../../protocol/index.ts";
import type { Member } from "../member.ts";
import { type Ensemble, type FaultEntry } from "./effect.ts";
import { restart, servingMsMax, startDead } from "./repair.ts";

/** The files as they were, by server. */
const copies = new WeakMap<Member, Readonly<Record<string, Buffer>>>();

export const damage: FaultEntry = {
  how: "the log's file is changed while its server is stopped",
  mechanisms: [],
  probe: ({ voters }) => Promise.resolve(refuseDamageOf(voters)),

  async refuse(fault, ensemble) {
    if (fault.kind !== "damage") return undefined;
    return refuseDamage(fault, ensemble.voters, ensemble.inForce(), await ensemble.roles());
  },

  async strike(fault, ensemble) {
    if (fault.kind !== "damage") return;
    for (const server of fault.servers) {
      await restart(server, ensemble, { meanwhile: (member) => damageLog(member, fault.damage) });
    }
    for (const server of fault.servers) await ensemble.awaitServing(server, servingMsMax);
  },

  /** A server that goes on with its damaged log is left as it is; one that gave up gets the log that it had. */
  async mend(fault, ensemble) {
    for (const server of "servers" in fault ? fault.servers : []) {
      await ensemble.inTurn(() => mendLog(server, ensemble));
    }
  },
};

async function damageLog(member: Member, damage: LogDamage): Promise<void> {
  const logs = await member.readFiles(member.logFolder, (name) => /\/version-2\/log\.[0-9a-f]+$/.test(name));
  const newestFirst = Object.keys(logs).toSorted((a, b) => firstZxid(b) - firstZxid(a));
  for (const name of newestFirst) {
    const damaged = damagedLog(logs[name]!, damage);
    if (damaged === undefined) continue;
    copies.set(member, { [name]: logs[name]! });
    await member.writeFiles({ [name]: damaged });
    return;
  }
  throw new OperationError("fault", `${member.name} has logged nothing yet`, "let the workload write first");
}

async function mendLog(server: ServerName, ensemble: Ensemble): Promise<void> {
  const member = ensemble.member(server);
  const copy = copies.get(member);
  copies.delete(member);
  if ((await member.state()).running) return;
  if (copy !== undefined) await member.writeFiles(copy);
  await startDead(member, ensemble);
}

function firstZxid(name: string): number {
  return Number.parseInt(name.slice(name.lastIndexOf(".") + 1), 16);
}

/** A log whose last record is cut in its middle, or whose middle record has one bit flipped; undefined where it holds none. */
export function damagedLog(log: Buffer, damage: LogDamage): Buffer | undefined {
  const offsets = recordOffsets(log);
  const last = offsets.at(-1);
  if (last === undefined) return undefined;
  if (damage === "torn") return log.subarray(0, last + Math.ceil(recordBytes(log, last) / 2));
  const damaged = Buffer.from(log);
  const middle = offsets[Math.floor(offsets.length / 2)]!;
  const at = middle + recordHeaderBytes + Math.floor(payloadBytes(log, middle) / 2);
  damaged[at] = damaged[at]! ^ 1;
  return damaged;
}

const recordHeaderBytes = 12;

function payloadBytes(log: Buffer, offset: number): number {
  return log.readInt32BE(offset + 8);
}

function recordBytes(log: Buffer, offset: number): number {
  return recordHeaderBytes + payloadBytes(log, offset) + 1;
}

function recordOffsets(log: Buffer): readonly number[] {
  const offsets: number[] = [];
  for (const { offset } of readLog(bufferSource(log))) offsets.push(offset);
  return offsets;
}
