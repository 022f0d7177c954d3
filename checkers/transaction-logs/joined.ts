import {
  type Event,
  isSynced,
  type Json,
  type LoggedTransaction,
  type Operation,
  pairOperations,
  type Zxid,
} from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { describeTransaction, hexZxid, type LogEntry } from "./findings.ts";
import { lacks, quorumOf, type ServerLog } from "./server-log.ts";

/** The operations that are logged when they succeed. A lone check travels as a multi of one, which is logged as such. */
const writes: ReadonlySet<string> = new Set([
  "create",
  "delete",
  "setData",
  "setACL",
  "multi",
  "check",
  "reconfig",
  "closeSession",
]);

/** A write of the history with the transaction that it became, where one was found. */
interface JoinedWrite {
  readonly operation: Operation;
  readonly zxid: Zxid | undefined;
  readonly entry: LogEntry | undefined;
}

interface Broken {
  readonly summary: string;
  readonly operation: Operation;
}

/**
 * Joins a client history with the logs: an acknowledged write stands on a quorum, as the transaction that it was
 * answered for; a write that failed has no effect in any log; one without an answer happened where (session, cxid) is
 * found, and nowhere else. Throws InputError where the history breaks a rule of histories.
 */
export function judgeHistory(history: Iterable<Event>, servers: readonly ServerLog[]): Verdict[] {
  const requests = requestIndex(servers);
  const operations = pairOperations(history).filter(({ f }) => !isSynced(f) && writes.has(f));
  const joined = operations.map((operation) => join(operation, servers, requests));
  return [acknowledged(joined, servers), failed(joined), unanswered(joined, servers)];
}

/** (session, cxid) to the records that carry them. Several where a client numbered two requests alike. */
function requestIndex(servers: readonly ServerLog[]): ReadonlyMap<string, LogEntry[]> {
  const index = new Map<string, LogEntry[]>();
  for (const server of servers) {
    for (const entry of server.entries) {
      const { session, cxid } = entry.record.transaction.header;
      const key = `${session}/${cxid}`;
      const known = index.get(key);
      if (known === undefined) index.set(key, [entry]);
      else if (!known.some((other) => other.record.content === entry.record.content)) known.push(entry);
    }
  }
  return index;
}

function join(
  operation: Operation,
  servers: readonly ServerLog[],
  requests: ReadonlyMap<string, LogEntry[]>,
): JoinedWrite {
  const { completion } = operation;
  const session = normalSession(completion?.session);
  const candidates =
    session === undefined || completion?.xid === undefined
      ? []
      : (requests.get(`${session}/${completion.xid}`) ?? []);
  const matching = candidates.filter(({ record }) => fits(operation, record));
  const byRequest = matching.find((entry) => entry.zxid === completion?.zxid) ?? matching[0];
  if (completion?.type !== "ok" || completion.zxid === undefined) {
    return { operation, zxid: byRequest?.zxid, entry: byRequest };
  }
  const byZxid = servers
    .map((server) => server.byZxid.get(completion.zxid as Zxid))
    .find((entry) => entry !== undefined);
  return {
    operation,
    zxid: completion.zxid,
    entry: byRequest?.zxid === completion.zxid ? byRequest : byZxid,
  };
}

/** Sessions are hex numbers; leading zeros and capitals do not tell them apart. */
function normalSession(session: string | undefined): string | undefined {
  return session === undefined || !/^0x[0-9a-f]{1,16}$/i.test(session)
    ? session
    : `0x${BigInt(session).toString(16)}`;
}

type JsonObject = { readonly [name: string]: Json };

const bodyTypes: { readonly [f: string]: readonly string[] } = {
  create: ["create", "createContainer", "createTTL"],
  delete: ["delete"],
  setData: ["setData"],
  setACL: ["setACL"],
  multi: ["multi"],
  check: ["multi"],
  reconfig: ["reconfig"],
  closeSession: ["closeSession"],
};

/** The record can be what became of the operation: its kind, its path and its data are those asked for, or it is an error. */
function fits(operation: Operation, record: LoggedTransaction): boolean {
  const { body } = record.transaction;
  if (body.type === "error") return true;
  if (bodyTypes[operation.f]?.includes(body.type) !== true) return false;
  const value = operation.invocation.value as JsonObject | null;
  const path = value?.["path"];
  if (typeof path !== "string" || !("path" in body) || operation.f === "reconfig") return true;
  const mode = value?.["mode"];
  const samePath =
    typeof mode === "string" && mode.includes("sequential") ? body.path.startsWith(path) : body.path === path;
  const data = value?.["data"];
  return (
    samePath && (data === undefined || !("data" in body) || record.binary === true || body.data === data)
  );
}

/** Readable in the log, or contained in the newest valid snapshot. */
function holdsZxid(server: ServerLog, zxid: Zxid): boolean {
  return server.byZxid.has(zxid) || (server.hasSnapshot && zxid <= server.base);
}

function acknowledged(joined: readonly JoinedWrite[], servers: readonly ServerLog[]): Verdict {
  const quorum = quorumOf(servers);
  const broken: Broken[] = [];
  const counts = { acknowledged: 0, logged: 0, inSnapshotsOnly: 0, withoutZxid: 0 };
  for (const { operation, zxid, entry } of joined) {
    if (operation.completion?.type !== "ok") continue;
    counts.acknowledged += 1;
    if (zxid === undefined) {
      counts.withoutZxid += 1;
      continue;
    }
    const what = `${operation.f} of event ${operation.completion.index}, acknowledged as ${hexZxid(zxid)},`;
    const having = servers.filter((server) => holdsZxid(server, zxid));
    const gone = servers.filter((server) => lacks(server, zxid));
    if (entry === undefined) counts.inSnapshotsOnly += 1;
    else counts.logged += 1;
    if (having.length < quorum) {
      const where = having.length === 0 ? "no server" : having.map(({ name }) => name).join(" and ");
      broken.push({
        operation,
        summary: `${what} is on ${where}; a quorum is ${quorum} of ${servers.length}`,
      });
    } else if (gone.length > 0) {
      broken.push({
        operation,
        summary: `${what} was skipped by ${gone.map(({ name }) => name).join(" and ")}`,
      });
    } else if (entry !== undefined && !isAnswerOf(operation, entry)) {
      const found = describeTransaction(entry.record);
      broken.push({
        operation,
        summary: `${what} is ${found} in the log ${entry.file.path} at byte ${entry.record.offset}`,
      });
    }
  }
  const total = counts.acknowledged;
  const held =
    `${total - counts.withoutZxid} of ${total} acknowledged writes are on a quorum (${quorum} of ${servers.length})` +
    (counts.inSnapshotsOnly > 0 ? `, ${counts.inSnapshotsOnly} of them in snapshots only` : "");
  if (broken.length === 0 && counts.withoutZxid > 0) {
    const detail = `${counts.withoutZxid} of ${total} acknowledged writes have neither a zxid nor a session and xid to find them by`;
    return { name: "acknowledged-writes", verdict: "unknown", detail, counts };
  }
  return verdict("acknowledged-writes", broken, held, counts, total === 0);
}

/** The logged transaction is the acknowledged operation: its request, where the history knows it, its kind and its path. */
function isAnswerOf(operation: Operation, entry: LogEntry): boolean {
  const { completion } = operation;
  const { header, body } = entry.record.transaction;
  const session = normalSession(completion?.session);
  if (session !== undefined && header.session !== session) return false;
  if (completion?.xid !== undefined && header.cxid !== completion.xid) return false;
  return body.type !== "error" && fits(operation, entry.record);
}

/** A server's error is definite: the logs hold an error for that request, or nothing. */
function failed(joined: readonly JoinedWrite[]): Verdict {
  const broken: Broken[] = [];
  const counts = { failed: 0, logged: 0 };
  for (const { operation, entry } of joined) {
    const { completion } = operation;
    if (completion?.type !== "fail" || completion.zxid === undefined) continue;
    counts.failed += 1;
    if (entry === undefined) continue;
    counts.logged += 1;
    const { body } = entry.record.transaction;
    const harmless =
      body.type === "error" ||
      (body.type === "multi" && body.transactions.some(({ type }) => type === "error"));
    if (harmless) continue;
    const summary =
      `${operation.f} of event ${completion.index} was answered ${completion.error ?? "with an error"}, yet logged as ` +
      `${hexZxid(entry.zxid)} (${describeTransaction(entry.record)}; ${entry.file.path} at byte ${entry.record.offset})`;
    broken.push({ operation, summary });
  }
  const held = `none of ${counts.failed} writes that a server refused has an effect in a log`;
  return verdict("failed-writes", broken, held, counts, counts.failed === 0);
}

/** How many resolutions the verdict lists. */
const resolvedMax = 1_000;

/** Never violated: it tells what became of the writes that nobody answered. */
function unanswered(joined: readonly JoinedWrite[], servers: readonly ServerLog[]): Verdict {
  const open = joined.filter(
    ({ operation }) => operation.completion === undefined || operation.completion.type === "info",
  );
  const counts = { unanswered: open.length, happened: 0, refused: 0, neverLogged: 0, unresolved: 0 };
  const hidden = servers.some(
    (server) =>
      server.hasSnapshot && server.base > 0 && (server.zxids[0] ?? Infinity) > 1 && startsLate(server),
  );
  const resolutions: Json[] = [];
  for (const { operation, entry } of open) {
    const event = operation.completion ?? operation.invocation;
    const known = event.session !== undefined && event.xid !== undefined;
    const became =
      entry === undefined
        ? known && !hidden
          ? "neverLogged"
          : "unresolved"
        : isRefusal(entry)
          ? "refused"
          : "happened";
    counts[became] += 1;
    if (resolutions.length >= resolvedMax) continue;
    const zxid = entry === undefined ? {} : { zxid: hexZxid(entry.zxid) };
    const holders =
      entry === undefined
        ? {}
        : { servers: servers.filter(({ byZxid }) => byZxid.has(entry.zxid)).map(({ name }) => name) };
    resolutions.push({ event: operation.invocation.index, f: operation.f, became, ...zxid, ...holders });
  }
  const detail =
    `of ${counts.unanswered} unanswered writes ${counts.happened} happened, ${counts.refused} were refused, ` +
    `${counts.neverLogged} were never logged, ${counts.unresolved} cannot be told`;
  return {
    name: "unanswered-writes",
    verdict: "holds",
    detail,
    ...(open.length === 0 ? { vacuous: true } : {}),
    counts,
    ...(resolutions.length === 0 ? {} : { evidence: { resolutions } }),
  };
}

/** The log begins behind the ensemble's first transaction: what came before is in snapshots, without its request. */
function startsLate(server: ServerLog): boolean {
  const first = server.zxids[0];
  return first === undefined || first % 0x1_0000_0000 !== 1;
}

function isRefusal(entry: LogEntry): boolean {
  const { body } = entry.record.transaction;
  return (
    body.type === "error" || (body.type === "multi" && body.transactions.some(({ type }) => type === "error"))
  );
}

function verdict(
  name: string,
  broken: readonly Broken[],
  held: string,
  counts: { readonly [name: string]: number },
  vacuous: boolean,
): Verdict {
  const [first] = broken;
  if (first === undefined)
    return { name, verdict: "holds", detail: held, ...(vacuous ? { vacuous } : {}), counts };
  const more = broken.length > 1 ? ` (and ${broken.length - 1} more)` : "";
  const { invocation, completion } = first.operation;
  const earliest = completion ?? invocation;
  return {
    name,
    verdict: "violated",
    detail: `${first.summary}${more}`,
    violation: {
      summary: first.summary,
      events: completion === undefined ? [invocation] : [invocation, completion],
      earliest,
    },
    counts: { ...counts, violations: broken.length },
    evidence: { violations: broken.slice(0, 100).map(({ summary }) => summary) },
  };
}
