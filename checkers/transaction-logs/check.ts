import type { Event, ServerDisk, Zxid } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { loggedAnywhere, missingOrKept, prefixesAgree, sameTransaction, skippedByAll } from "./agreement.ts";
import { type Replay, replay, sameDigest, unexplainedDigests } from "./digests.ts";
import { type Finding, verdictOf } from "./findings.ts";
import { judgeHistory } from "./joined.ts";
import { quorumOf, type ServerLog, serverLog } from "./server-log.ts";
import { epochs, order, readability } from "./single-server.ts";

export interface TransactionLogOptions {
  /** The clients' history of the same run, in znode form; adds the checks that join it with the logs. */
  readonly history?: Iterable<Event>;
}

/**
 * Judges what the servers of one ensemble left on their disks: that they agree, from each server's newest valid
 * snapshot on, and that no server lost or kept what it may not.
 *
 * Zab's properties as visible on disk (Junqueira, Reed, Serafini, DSN 2011, §III: agreement, total order, local and
 * global primary order, primary integrity). Servers whose disks are not given are taken as not being there: a quorum
 * is one of the given ones. Time is O(records x servers).
 */
export function checkTransactionLogs(
  disks: readonly ServerDisk[],
  options: TransactionLogOptions = {},
): Verdict[] {
  const servers = disks.map(serverLog);
  const findings: Finding[] = servers.flatMap((server) => [
    ...readability(server),
    ...epochs(server),
    ...order(server),
  ]);
  const logged = new Set<Zxid>();
  const counts = { transactions: 0, shared: 0, digests: 0 };
  for (const each of loggedAnywhere(servers)) {
    logged.add(each.zxid);
    counts.transactions += 1;
    if (each.entries.length > 1) counts.shared += 1;
    findings.push(...sameTransaction(each), ...sameDigest(each), ...missingOrKept(each, servers));
    if (each.entries.some(({ entry }) => entry.record.digest !== undefined)) counts.digests += 1;
  }
  findings.push(...skippedByAll(servers, (zxid) => logged.has(zxid)));
  for (const [index, one] of servers.entries()) {
    for (const other of servers.slice(index + 1)) findings.push(...prefixesAgree(one, other));
  }
  const replays = servers.map(replay).filter((each) => each !== undefined);
  findings.push(...unexplainedDigests(replays));
  const verdicts = diskVerdicts(servers, findings, counts, replays);
  return options.history === undefined ? verdicts : [...verdicts, ...judgeHistory(options.history, servers)];
}

function diskVerdicts(
  servers: readonly ServerLog[],
  findings: readonly Finding[],
  counts: { readonly transactions: number; readonly shared: number; readonly digests: number },
  replays: readonly Replay[],
): Verdict[] {
  const { transactions, shared, digests } = counts;
  const records = servers.reduce((sum, server) => sum + server.entries.length, 0);
  const files = servers.reduce((sum, { disk }) => sum + disk.logs.length + disk.snapshots.length, 0);
  const epochFiles = servers.filter(
    ({ disk }) => disk.currentEpoch !== undefined || disk.acceptedEpoch !== undefined,
  );
  const quorum = quorumOf(servers);
  const many = `${servers.length} servers`;
  const alone = servers.length < 2 || shared === 0;
  const nothing = transactions === 0;
  const replayed = replays.reduce((sum, { compared }) => sum + compared, 0);
  const held = (what: string): string =>
    servers.length < 2 ? `${what}: one server alone, nothing to compare` : what;
  const readable = verdictOf(
    "logs-readable",
    findings,
    `${records} records of ${many} were read to the ends of their logs`,
    { records, files },
  );
  // Snapshots alone prove nothing about agreement.
  const detail = `no transaction was found in the logs of ${many}: do they lie elsewhere (dataLogDir)?`;
  const empty = records === 0 && readable.verdict === "holds";
  return [
    empty ? { ...readable, verdict: "unknown", detail } : readable,
    verdictOf(
      "epochs",
      findings,
      `no epoch file of ${epochFiles.length} servers contradicts the logs`,
      { servers: epochFiles.length },
      epochFiles.length === 0,
    ),
    verdictOf("zxid-order", findings, `zxids rise within every log of ${many}`, { records }, records < 2),
    verdictOf(
      "same-transaction",
      findings,
      held(`${shared} zxids that several servers logged name equal transactions`),
      { transactions, shared },
      alone,
    ),
    verdictOf(
      "prefixes-agree",
      findings,
      held(`the logs of ${many} agree up to what they share`),
      { transactions, shared },
      alone,
    ),
    verdictOf(
      "nothing-missing",
      findings,
      `no server lacks one of ${transactions} transactions that a quorum (${quorum} of ${servers.length}) logged`,
      { transactions },
      nothing,
    ),
    verdictOf(
      "nothing-kept",
      findings,
      `no server keeps one of ${transactions} transactions that a later epoch went past`,
      { transactions },
      alone,
    ),
    verdictOf(
      "digests",
      findings,
      `${digests} digests agree; ${replayed} are those of the tree that ${replays.length} servers' logs build`,
      { digests, replayed },
      digests === 0,
    ),
  ];
}
