import type { LoggedTransaction, ServerDisk, Zxid } from "../../model/index.ts";
import type { LogCheck } from "./findings.ts";

/**
 * The same judgements by their definitions, quantifier by quantifier, without an index or an order of work: what the
 * checker is compared with. Gives "check server zxid" of each violation.
 */
export function slowTwin(disks: readonly ServerDisk[]): string[] {
  const found = new Set<string>();
  const violated = (check: LogCheck, server: ServerDisk, zxid: Zxid): void =>
    void found.add(`${check} ${server.name} ${zxid}`);
  const quorum = Math.floor(disks.length / 2) + 1;
  const everyZxid = disks.flatMap((each) => recordsOf(each).map(zxidOf));
  for (const server of disks) {
    const records = recordsOf(server);
    for (const [index, each] of records.entries()) {
      const before = records.slice(0, index);
      const alike = before.filter((other) => zxidOf(other) === zxidOf(each));
      const differs = alike[0] !== undefined && alike[0].content !== each.content;
      const higher = before.some((other) => zxidOf(other) > zxidOf(each));
      if (higher && alike.length === 0) violated("zxid-order", server, zxidOf(each));
      if (differs && zxidOf(each) > baseOf(server)) violated("same-transaction", server, zxidOf(each));
    }
  }
  for (const zxid of everyZxid) {
    const having = disks.filter((server) => has(server, zxid));
    const above = having.filter((server) => baseOf(server) < zxid);
    const [first] = above;
    const other = above.find(
      (server) => first !== undefined && contentOf(server, zxid) !== contentOf(first, zxid),
    );
    if (other !== undefined) violated("same-transaction", other, zxid);
    const lacking = disks.filter((server) => goneFor(server, zxid));
    if (having.length >= quorum) {
      for (const server of lacking) violated("nothing-missing", server, zxid);
      continue;
    }
    const skipping = lacking.filter((server) =>
      recordsOf(server).some((each) => epochOf(zxidOf(each)) === epochOf(zxid) && zxidOf(each) > zxid),
    );
    if (skipping.length > 0) {
      for (const server of skipping) violated("nothing-missing", server, zxid);
      continue;
    }
    const keeping = having.filter(
      (server) =>
        baseOf(server) < zxid && recordsOf(server).some((each) => epochOf(zxidOf(each)) > epochOf(zxid)),
    );
    if (lacking.length === 0 || keeping.length === 0) continue;
    const hidden = disks.filter((server) => !has(server, zxid) && zxid <= baseOf(server));
    if (having.length + hidden.length >= quorum && lacking.length < quorum) {
      for (const server of lacking) violated("nothing-missing", server, zxid);
    } else {
      for (const server of keeping) violated("nothing-kept", server, zxid);
    }
  }
  for (const server of disks) {
    for (const each of recordsOf(server)) {
      // A leader numbers its proposals one by one: what is absent right before this one was proposed, too.
      const absent: Zxid[] = [];
      if (counterOf(zxidOf(each)) === 0) continue;
      for (
        let zxid = zxidOf(each) - 1;
        counterOf(zxid) > 0 && zxid > baseOf(server) && !has(server, zxid);
        zxid -= 1
      ) {
        absent.push(zxid);
      }
      const nobodys = absent.filter((zxid) => zxidOf(each) > baseOf(server) && !everyZxid.includes(zxid));
      if (nobodys.length > 0) violated("nothing-missing", server, Math.min(...nobodys));
    }
  }
  for (const one of disks) {
    for (const other of disks) {
      if (one === other) continue;
      const from = Math.max(baseOf(one), baseOf(other));
      const common = recordsOf(one)
        .map(zxidOf)
        .filter((zxid) => has(other, zxid));
      const absent = recordsOf(one)
        .map(zxidOf)
        .filter((zxid) => zxid > from && !has(other, zxid) && common.some((shared) => shared > zxid));
      if (absent.length > 0) violated("prefixes-agree", other, Math.min(...absent));
    }
  }
  return [...found].sort();
}

function recordsOf(server: ServerDisk): LoggedTransaction[] {
  return server.logs.flatMap((log) => log.records);
}

function zxidOf(each: LoggedTransaction): Zxid {
  return each.transaction.header.zxid;
}

function epochOf(zxid: Zxid): number {
  return Math.floor(zxid / 2 ** 32);
}

function counterOf(zxid: Zxid): number {
  return zxid % 2 ** 32;
}

function has(server: ServerDisk, zxid: Zxid): boolean {
  return recordsOf(server).some((each) => zxidOf(each) === zxid);
}

function contentOf(server: ServerDisk, zxid: Zxid): string | undefined {
  return recordsOf(server).find((each) => zxidOf(each) === zxid)?.content;
}

/** The newest valid snapshot, or what lies before the first log's name. */
function baseOf(server: ServerDisk): Zxid {
  const valid = server.snapshots.filter((snapshot) => snapshot.invalid === undefined).map(({ zxid }) => zxid);
  return valid.length > 0 ? Math.max(...valid) : Math.max(0, (server.logs[0]?.firstZxid ?? 1) - 1);
}

function goneFor(server: ServerDisk, zxid: Zxid): boolean {
  return baseOf(server) < zxid && !has(server, zxid) && recordsOf(server).some((each) => zxidOf(each) > zxid);
}
