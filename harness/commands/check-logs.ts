import type { Command } from "commander";
import { exitWith, print, printJson } from "../command-line.ts";

interface CheckLogsFlags {
  readonly history?: string;
  readonly json?: boolean;
}

/** `zabcheck check-logs DIR...`: what the servers of an ensemble left on their disks. */
export function addCheckLogs(program: Command): void {
  program
    .command("check-logs")
    .description(
      "judge the transaction logs and snapshots of an ensemble: do its servers agree, was anything lost?",
    )
    .argument(
      "<dir...>",
      "a directory for each server, with its version-2 folders anywhere in it; or one that holds them all",
    )
    .option("--history <file>", "a history of the clients: every acknowledged write has to be on a quorum")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Give the disks of all the ensemble's servers: a quorum is a majority of those given.

Examples:
  zabcheck check-logs server-1 server-2 server-3
  zabcheck check-logs results/runs/register/latest/servers --history results/runs/register/latest/history.jsonl`,
    )
    .action(checkLogs);
}

async function checkLogs(directories: readonly string[], flags: CheckLogsFlags): Promise<void> {
  const [
    { readServerDisks },
    { checkTransactionLogs, readHistory, worst },
    { verdictLines },
    { makeProgress },
  ] = await Promise.all([
    import("../../clusters/index.ts"),
    import("../../checkers/index.ts"),
    import("../verdicts.ts"),
    import("../progress.ts"),
  ]);
  const progress = await makeProgress();
  try {
    const history = flags.history === undefined ? undefined : readHistory(flags.history);
    progress.stage("reading the disks");
    const disks = readServerDisks(directories, { onFile: (path) => progress.update(0, path) });
    const names = disks.map((disk) => disk.name).join(", ");
    if (disks.length !== directories.length) {
      progress.note(`${directories.join(", ")}: read as the disks of ${disks.length} servers, ${names}`);
    }
    const checks = checkTransactionLogs(disks, history === undefined ? {} : { history: history.events });
    const verdict = worst(checks.map((check) => check.verdict));
    if (flags.json === true) {
      printJson({ verdict, checks, servers: disks.map(({ name }) => name) });
    } else {
      print(`${disks.length} servers: ${names}`);
      for (const check of checks) for (const line of verdictLines(check)) print(line);
      print(`verdict: ${verdict}`);
    }
    exitWith(verdict);
  } finally {
    progress.done();
  }
}
