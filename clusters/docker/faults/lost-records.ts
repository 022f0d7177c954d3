import type { Zxid } from "../../../model/index.ts";
import { bufferSource, ProtocolError, readLog } from "../../protocol/index.ts";

const epochSize = 2 ** 32;

/**
 * What a server has logged and will not get back when it reads its logs: whole records behind one that was not written
 * to its end, and zxids that are left out. `logs` by path, as files of version-2 are named; `snapshots` by their zxids:
 * what the newest contains need not be in a log. Returns a clause for people; undefined where the logs are whole.
 */
export function lostRecords(
  logs: Readonly<Record<string, Buffer>>,
  snapshots: readonly Zxid[],
): string | undefined {
  const newest = Math.max(0, ...snapshots);
  const readable = new Set<Zxid>();
  const behind = new Set<Zxid>();
  for (const log of Object.values(logs)) {
    for (const [zxid, isBehind] of recordsOf(log)) {
      if (zxid > newest) (isBehind ? behind : readable).add(zxid);
    }
  }
  const unread = [...behind].filter((zxid) => !readable.has(zxid));
  if (unread.length > 0) {
    return `${unread.length} records stand behind one that was not written to its end, from ${show(Math.min(...unread))} on`;
  }
  let before = newest;
  for (const zxid of [...readable].toSorted((a, b) => a - b)) {
    if (zxid !== successor(before, zxid)) return `${show(zxid)} stands behind ${show(before)}`;
    before = zxid;
  }
  return undefined;
}

/** The zxids of a log, and whether each stands behind its end. What is no log holds none. */
function* recordsOf(log: Buffer): Generator<readonly [zxid: Zxid, isBehind: boolean]> {
  try {
    const records = readLog(bufferSource(log));
    for (;;) {
      const next = records.next();
      if (next.done === true) {
        for (const { transaction } of next.value.behind?.records ?? []) yield [transaction.header.zxid, true];
        return;
      }
      yield [next.value.transaction.header.zxid, false];
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

/** What must follow `before` in a log, if it is of the epoch of `zxid`: one epoch's transactions are numbered from 1. */
function successor(before: Zxid, zxid: Zxid): Zxid {
  const epoch = Math.floor(zxid / epochSize);
  return Math.floor(before / epochSize) === epoch ? before + 1 : epoch * epochSize + 1;
}

function show(zxid: Zxid): string {
  return `0x${zxid.toString(16)}`;
}
