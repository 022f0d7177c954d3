import {
  at,
  counterOf,
  describeTransaction,
  epochOf,
  fileName,
  type Finding,
  hexZxid,
  placeOf,
} from "./findings.ts";
import type { ServerLog } from "./server-log.ts";

// What one server's disk tells without the others.

/** Torn tails are legal; damage, and records behind the end of a log, are lost to the server that wrote them. */
export function readability(server: ServerLog): Finding[] {
  const findings: Finding[] = [];
  const { name, disk } = server;
  for (const [index, file] of disk.logs.entries()) {
    const { end } = file;
    const where = { server: name, file: file.path, offset: end.offset };
    const place = `${name}: ${fileName(file.path)}`;
    // A server reads the logs from the one on that its newest snapshot lies in.
    const unread = (disk.logs[index + 1]?.firstZxid ?? Infinity) <= server.base + 1;
    if (end.kind === "damaged") {
      const text = `${place} is damaged at byte ${end.offset}: ${end.reason}`;
      findings.push(
        unread
          ? { check: "logs-readable", severity: "warning", ...where, text: `${text}; a snapshot covers it` }
          : {
              check: "logs-readable",
              severity: "violation",
              ...where,
              text: `${text}; the server refuses to start from it`,
            },
      );
    }
    if (end.kind === "torn") {
      const text = `${place} ends in a torn record at byte ${end.offset}: ${end.reason}`;
      findings.push({ check: "logs-readable", severity: "warning", ...where, text });
    }
    if (end.behind === undefined) continue;
    const { records, more } = end.behind;
    const first = records.find(({ transaction }) => {
      const { zxid } = transaction.header;
      return zxid > server.base && !server.byZxid.has(zxid);
    });
    const count = `${more ? "at least " : ""}${records.length} whole record${records.length === 1 ? "" : "s"}`;
    if (first === undefined) {
      const text = `${place} has ${count} behind its end at byte ${end.offset}, all of which it logged again`;
      findings.push({ check: "logs-readable", severity: "warning", ...where, text });
      continue;
    }
    const { zxid } = first.transaction.header;
    const text =
      `${place} has ${count} behind its end at byte ${end.offset}, which the server will never read again: ` +
      `the first lost is ${hexZxid(zxid)} at byte ${first.offset} (${describeTransaction(first)})`;
    findings.push({
      check: "logs-readable",
      severity: "violation",
      server: name,
      file: file.path,
      zxid,
      offset: first.offset,
      text,
    });
  }
  for (const snapshot of disk.snapshots) {
    if (snapshot.invalid === undefined) continue;
    const text = `${name}: ${fileName(snapshot.path)} is not valid, and left out: ${snapshot.invalid}`;
    findings.push({ check: "logs-readable", severity: "warning", server: name, file: snapshot.path, text });
  }
  return findings;
}

/** acceptedEpoch >= currentEpoch >= the epoch of everything logged (Zab: FollowerInfo, NEWLEADER; QuorumPeer.loadDataBase). */
export function epochs(server: ServerLog): Finding[] {
  const findings: Finding[] = [];
  const { name, disk } = server;
  const { currentEpoch: current, acceptedEpoch: accepted } = disk;
  if (current !== undefined && accepted !== undefined && accepted.epoch < current.epoch) {
    const text = `${name}: acceptedEpoch is ${accepted.epoch}, below currentEpoch, which is ${current.epoch}; the server refuses to start`;
    findings.push({ check: "epochs", severity: "violation", server: name, file: accepted.path, text });
  }
  const newest = Math.max(server.last, server.hasSnapshot ? server.base : 0);
  if (current !== undefined && epochOf(newest) > current.epoch) {
    const text = `${name}: currentEpoch is ${current.epoch}, below that of its newest transaction, ${hexZxid(newest)}; the server refuses to start`;
    findings.push({
      check: "epochs",
      severity: "violation",
      server: name,
      file: current.path,
      zxid: newest,
      text,
    });
  }
  return findings;
}

/** Zxids rise within a log. A record written twice alike, as after a second attempt to join, is worth a warning only. */
export function order(server: ServerLog): Finding[] {
  const findings: Finding[] = [];
  const { name } = server;
  let highest = server.entries[0];
  for (const entry of server.entries) {
    if (highest === undefined || entry.zxid > highest.zxid || entry === highest) {
      highest = entry;
      continue;
    }
    const first = server.byZxid.get(entry.zxid);
    const label = `${name} logged ${hexZxid(entry.zxid)}`;
    if (first === undefined || first === entry) {
      const text =
        `${label} (${describeTransaction(entry.record)}; ${placeOf(entry)}) behind ${hexZxid(highest.zxid)} ` +
        `(${placeOf(highest)})${epochOf(entry.zxid) < epochOf(highest.zxid) ? ", of a later epoch" : ""}`;
      findings.push(at("zxid-order", "violation", name, entry, text));
    } else if (first.record.content === entry.record.content) {
      const text = `${label} twice, with the same content (${placeOf(first)} and ${placeOf(entry)})`;
      findings.push(at("zxid-order", "warning", name, entry, text));
    } else {
      const legal = entry.zxid <= server.base;
      const text =
        `${label} twice with different content: ${describeTransaction(first.record)} (${placeOf(first)}) and ` +
        `${describeTransaction(entry.record)} (${placeOf(entry)})${legal ? "; a newer snapshot covers it" : ""}`;
      findings.push(at("same-transaction", legal ? "warning" : "violation", name, entry, text));
    }
  }
  return findings;
}

/**
 * The transactions of a leader that a server skipped, told by the counter alone: a leader numbers its proposals 1, 2,
 * 3, ... and each is logged. Gives the first absent zxid of each gap with the record behind it.
 */
export function counterGaps(server: ServerLog): { readonly absent: number; readonly behind: number }[] {
  const gaps: { absent: number; behind: number }[] = [];
  let previous = server.base;
  for (const zxid of server.zxids) {
    if (zxid <= server.base) continue;
    const first = epochOf(previous) === epochOf(zxid) ? previous + 1 : zxid - counterOf(zxid) + 1;
    if (first < zxid) gaps.push({ absent: first, behind: zxid });
    previous = zxid;
  }
  return gaps;
}
