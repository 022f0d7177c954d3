import type { Zxid } from "../../model/index.ts";
import {
  at,
  describeTransaction,
  epochOf,
  type Finding,
  hexZxid,
  type LogEntry,
  placeOf,
} from "./findings.ts";
import { lacks, quorumOf, type ServerLog } from "./server-log.ts";
import { counterGaps } from "./single-server.ts";

/** The servers that logged a zxid, with their records, in the servers' order. */
export interface Logged {
  readonly zxid: Zxid;
  readonly entries: readonly { readonly server: ServerLog; readonly entry: LogEntry }[];
}

/** Every zxid that any server logged, ascending: a merge of the servers' sorted logs. */
export function* loggedAnywhere(servers: readonly ServerLog[]): Generator<Logged> {
  const positions = servers.map(() => 0);
  for (;;) {
    let zxid = Infinity;
    for (const [index, server] of servers.entries()) {
      zxid = Math.min(zxid, server.zxids[positions[index] ?? 0] ?? Infinity);
    }
    if (zxid === Infinity) return;
    const entries: { server: ServerLog; entry: LogEntry }[] = [];
    for (const [index, server] of servers.entries()) {
      const position = positions[index] ?? 0;
      if (server.zxids[position] !== zxid) continue;
      positions[index] = position + 1;
      const entry = server.byZxid.get(zxid);
      if (entry !== undefined) entries.push({ server, entry });
    }
    yield { zxid, entries };
  }
}

/** Equal zxids name equal transactions, from the newest valid snapshots on. */
export function sameTransaction({ zxid, entries }: Logged): Finding[] {
  const [first] = entries;
  if (
    first === undefined ||
    entries.every(({ entry }) => entry.record.content === first.entry.record.content)
  )
    return [];
  const above = entries.filter(({ server }) => server.base < zxid);
  const legal = above.every(({ entry }) => entry.record.content === above[0]?.entry.record.content);
  const told = legal ? entries : above;
  const other = told.find(({ entry }) => entry.record.content !== told[0]?.entry.record.content) ?? first;
  const one = told[0] ?? first;
  const say = ({ server, entry }: typeof first): string =>
    `${describeTransaction(entry.record)} on ${server.name} (${placeOf(entry)})`;
  const text = `${hexZxid(zxid)} is ${say(one)}, and ${differs(one.entry, other.entry)}${say(other)}${legal ? "; a newer snapshot covers it" : ""}`;
  return [at("same-transaction", legal ? "warning" : "violation", other.server.name, other.entry, text)];
}

function differs(one: LogEntry, other: LogEntry): string {
  return describeTransaction(one.record) === describeTransaction(other.record) ? "with other content " : "";
}

/**
 * Nothing is missing that a majority logged, or that a leader sent before what the server has; nothing is kept that a
 * later epoch went past (Junqueira et al., DSN 2011, §IV: primary integrity, total order).
 *
 * A server that logged `zxid` and then something of a later epoch keeps it for good; one that went past it has lost it
 * for good. A server whose log ends before either is merely behind, and would be given, or rid of, the transaction.
 */
export function missingOrKept({ zxid, entries }: Logged, servers: readonly ServerLog[]): Finding[] {
  const without = servers.filter((server) => lacks(server, zxid));
  if (without.length === 0) return [];
  const quorum = quorumOf(servers);
  const having = entries.map(({ server }) => server);
  const epoch = epochOf(zxid);
  const skipped = without.filter((server) => (server.lastOfEpoch.get(epoch) ?? 0) > zxid);
  const [first] = entries;
  if (first === undefined) return [];
  const what = `${hexZxid(zxid)} (${describeTransaction(first.entry.record)})`;
  const loggers = namesOf(having);
  if (entries.length >= quorum) {
    return without.map((server) =>
      missing(server, zxid, `${server.name} lacks ${what}, which ${loggers} logged, a quorum`),
    );
  }
  if (skipped.length > 0) {
    return skipped.map((server) =>
      missing(
        server,
        zxid,
        `${server.name} lacks ${what}, which ${loggers} logged, though it has later ones of epoch ${epoch}`,
      ),
    );
  }
  const keepers = entries.filter(({ server }) => zxid > server.base && epochOf(server.last) > epoch);
  const covered = servers.filter((server) => !having.includes(server) && zxid <= server.base);
  if (keepers.length === 0) return [];
  if (entries.length + covered.length >= quorum && without.length < quorum) {
    const text = (server: ServerLog): string =>
      `${server.name} lacks ${what}, which ${loggers} logged and kept; snapshots hide whether ${namesOf(covered)} had it, too`;
    return without.map((server) => missing(server, zxid, text(server)));
  }
  return keepers.map(({ server, entry }) =>
    at(
      "nothing-kept",
      "violation",
      server.name,
      entry,
      `${server.name} keeps ${what} (${placeOf(entry)}), which no quorum logged and ${namesOf(without)} went past in a later epoch`,
    ),
  );
}

function missing(server: ServerLog, zxid: Zxid, text: string): Finding {
  return {
    check: "nothing-missing",
    severity: "violation",
    server: server.name,
    zxid,
    text: `${text}${fate(server, zxid)}`,
  };
}

/** Where the missing transaction might have stood. */
function fate(server: ServerLog, zxid: Zxid): string {
  for (const file of server.disk.logs) {
    const behind = file.end.behind?.records.find(({ transaction }) => transaction.header.zxid === zxid);
    if (behind !== undefined) return `; it stands behind the end of ${file.path}, at byte ${behind.offset}`;
  }
  return "";
}

function namesOf(servers: readonly ServerLog[]): string {
  return servers.map((server) => server.name).join(" and ");
}

/** Transactions of a leader that nobody logged, though a server logged later ones of the same leader. */
export function skippedByAll(servers: readonly ServerLog[], logged: (zxid: Zxid) => boolean): Finding[] {
  const findings: Finding[] = [];
  for (const server of servers) {
    for (const { absent, behind } of counterGaps(server)) {
      let zxid = absent;
      while (zxid < behind && logged(zxid)) zxid += 1;
      if (zxid === behind) continue;
      const text = `${server.name} lacks ${hexZxid(zxid)}, which nobody logged, though it has ${hexZxid(behind)} of the same epoch`;
      findings.push(missing(server, zxid, text));
    }
  }
  return findings;
}

/** Two servers' logs are equal up to the newest transaction that both have, from their newest valid snapshots on. */
export function prefixesAgree(one: ServerLog, other: ServerLog): Finding[] {
  let common = one.zxids.length - 1;
  while (common >= 0 && !other.byZxid.has(one.zxids[common] as Zxid)) common -= 1;
  const last = one.zxids[common];
  if (last === undefined) return [];
  const from = Math.max(one.base, other.base);
  const only = (having: ServerLog, without: ServerLog): Zxid | undefined =>
    having.zxids.find((zxid) => zxid > from && zxid < last && !without.byZxid.has(zxid));
  return [
    [one, other],
    [other, one],
  ].flatMap(([having, without]) => {
    if (having === undefined || without === undefined) return [];
    const zxid = only(having, without);
    const entry = zxid === undefined ? undefined : having.byZxid.get(zxid);
    if (entry === undefined) return [];
    const text =
      `${having.name} and ${without.name} both have ${hexZxid(last)}, but only ${having.name} has ` +
      `${hexZxid(entry.zxid)} before it (${describeTransaction(entry.record)}; ${placeOf(entry)})`;
    return [at("prefixes-agree", "violation", without.name, entry, text)];
  });
}
