import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { logHeader, logRecord } from "../protocol/disk/index.ts";
import type { EmbeddedServer } from "./server.ts";
import type { Logged } from "./zab-state.ts";

/** Transactions that are written at a time. */
const chunk = 10_000;

/**
 * Writes what a server has on disk and has noted. For people: `log.jsonl` (a transaction a line, in order, with
 * whether it is known to be committed), `state.json`, `server.log`. For whoever reads ZooKeeper's disks:
 * `version-2/` with the transaction log and the epochs, in ZooKeeper's own formats.
 */
export async function collectServer(server: EmbeddedServer, folder: string): Promise<void> {
  const { zab, counts, role, name, notes } = server;
  const { history, lastCommitted, acceptedEpoch, currentEpoch, zabState } = zab;
  const state = {
    name,
    role,
    zabState,
    acceptedEpoch,
    currentEpoch,
    lastCommitted,
    logged: history.length,
    counts,
  };
  await writeFile(join(folder, "state.json"), `${JSON.stringify(state, null, 2)}\n`);
  await writeFile(join(folder, "server.log"), notes.map((note) => `${note}\n`).join(""));
  const version2 = join(folder, "version-2");
  await mkdir(version2, { recursive: true });
  await writeFile(join(version2, "acceptedEpoch"), String(acceptedEpoch));
  await writeFile(join(version2, "currentEpoch"), String(currentEpoch));
  const binary = join(version2, `log.${(history[0]?.zxid ?? 0).toString(16)}`);
  const text = join(folder, "log.jsonl");
  await writeFile(text, "");
  if (history.length > 0) await writeFile(binary, logHeader());
  for (let from = 0; from < history.length; from += chunk) {
    const part = history.slice(from, from + chunk);
    const lines = part.map((logged, i) => line(logged, from + i < lastCommitted));
    await writeFile(text, lines.join(""), { flag: "a" });
    await writeFile(binary, Buffer.concat(part.map((logged) => logRecord(logged))), { flag: "a" });
  }
}

function line({ header, body, zxid }: Logged, committed: boolean): string {
  return `${JSON.stringify({ ...header, zxid: `0x${zxid.toString(16)}`, committed, body })}\n`;
}
