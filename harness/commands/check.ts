import type { Command } from "commander";
import { oneOf, parseDurationMs, parseSizeBytes } from "../command-line.ts";

/** What `zabcheck check` was given. */
export interface CheckFlags {
  readonly as?: string;
  readonly format: string;
  readonly initial?: string;
  readonly time: number;
  readonly memory: number;
  readonly allKeys?: boolean;
  readonly json?: boolean;
  readonly report?: string;
}

/** `zabcheck check FILE...`: histories that were recorded anywhere. */
export function addCheck(program: Command): void {
  program
    .command("check")
    .description("judge recorded histories: is there an order of the operations that explains every answer?")
    .argument("<file...>", "histories; a directory for a report of etcd's robustness tests")
    .option(
      "--as <type>",
      "what the history is about: register, cas-register, kv, set, queue, stack, mutex, znodes, ...",
    )
    .option(
      "--format <format>",
      "auto, zabcheck, jepsen-edn, jepsen-log or etcd-report",
      oneOf("format", ["auto", "zabcheck", "jepsen-edn", "jepsen-log", "etcd-report"]),
      "auto",
    )
    .option(
      "--initial <json>",
      "the object's initial value; a register of Jepsen's EDN begins with 0, any other with null",
    )
    .option(
      "--time <duration>",
      "time for each file, after which the verdict is unknown",
      parseDurationMs,
      300_000,
    )
    .option("--memory <size>", "memory for the search", parseSizeBytes, 2 ** 31)
    .option("--all-keys", "judge every key, even after a violation")
    .option("--json", "print one JSON object")
    .option("--report <file>", "write a page of HTML on the (last) history")
    .addHelpText(
      "after",
      `
Without --as, a run's history.jsonl is judged as its workload's, and a report of etcd's as etcd.
An operation that failed counts as never having happened, as in Jepsen; one without an answer may
have happened at any later time, or never.

Examples:
  zabcheck check results/runs/register/latest/history.jsonl
  zabcheck check etcd_002.log --as cas-register
  zabcheck check c50-bad.txt --as kv --all-keys --json`,
    )
    .action(async (files: readonly string[], flags: CheckFlags) => {
      const { checkFiles } = await import("../check-command.ts");
      await checkFiles(files, flags);
    });
}
