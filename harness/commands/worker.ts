import type { Command } from "commander";
import { integerBetween, parseDurationMs, parseSizeBytes } from "../command-line.ts";
import { parseQueueAddress, type QueueAddress } from "../queue/address.ts";

/** What `zabcheck worker` was told. */
export interface WorkerFlags {
  readonly queue: QueueAddress;
  readonly memory?: number;
  readonly processors?: number;
  readonly lock: number;
  readonly results: string;
}

/** `zabcheck worker`: does the jobs of plans that were put on a queue. */
export function addWorker(program: Command): void {
  program
    .command("worker")
    .description("do the jobs that zabcheck nightly --queue puts on a queue, on any number of hosts")
    .requiredOption("--queue <url>", "the Redis of the plan: redis://HOST:PORT", parseQueueAddress)
    .option(
      "--memory <size>",
      "for all jobs together (default: three quarters of the machine's)",
      parseSizeBytes,
    )
    .option(
      "--processors <number>",
      "for all jobs together (default: the machine's)",
      integerBetween(1, 1024),
    )
    .option(
      "--lock <duration>",
      "who is silent for so long has lost its job to another worker",
      parseDurationMs,
      30_000,
    )
    .option("--results <folder>", "where jobs are done; what they leave goes to the plan", "results/worker")
    .addHelpText(
      "after",
      `
Whoever can write to the Redis decides what is run here: keep it to a network that you trust, or give it a password.

Examples:
  zabcheck worker --queue redis://10.0.0.7
  zabcheck nightly docker --time 8h --queue redis://10.0.0.7    # on one host, any`,
    )
    .action(async (flags: WorkerFlags) => {
      const { workerCommand } = await import("../queue/worker-command.ts");
      await workerCommand(flags);
    });
}
