import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EmbeddedServer } from "./server.ts";

/** Transactions that are turned into text at a time. */
const chunk = 10_000;

/**
 * Writes what a server has on disk and has noted: `log.jsonl` (a transaction a line, in order, with whether it is
 * known to be committed), `acceptedEpoch` and `currentEpoch` as ZooKeeper writes them, `state.json`, `server.log`.
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
  await writeFile(join(folder, "acceptedEpoch"), String(acceptedEpoch));
  await writeFile(join(folder, "currentEpoch"), String(currentEpoch));
  await writeFile(join(folder, "server.log"), notes.map((note) => `${note}\n`).join(""));
  const log = join(folder, "log.jsonl");
  await writeFile(log, "");
  for (let from = 0; from < history.length; from += chunk) {
    const lines = history.slice(from, from + chunk).map(({ header, body }, i) => {
      return `${JSON.stringify({ ...header, zxid: `0x${header.zxid.toString(16)}`, committed: from + i < lastCommitted, body })}\n`;
    });
    await writeFile(log, lines.join(""), { flag: "a" });
  }
}
