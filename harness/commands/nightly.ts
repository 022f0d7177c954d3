import type { Command } from "commander";
import { integerBetween, parseDurationMs, parseSeed, parseSizeBytes } from "../command-line.ts";
import { parseQueueAddress, type QueueAddress } from "../queue/address.ts";

/** What `zabcheck nightly` was told. */
export interface NightlyFlags {
  readonly print?: boolean;
  readonly time?: number;
  readonly memory?: number;
  readonly processors?: number;
  readonly seed?: number;
  readonly fresh?: boolean;
  readonly queue?: QueueAddress;
  readonly results: string;
  readonly json?: boolean;
}

/** `zabcheck nightly PLAN`: carries out a plan of runs and explorations. */
export function addNightly(program: Command): void {
  program
    .command("nightly")
    .description("carry out a plan of runs and explorations, and leave one page that says what came of it")
    .argument("<plan>", "a file, or one that comes along: embedded (no Docker, a minute), docker")
    .option("--print", "print the plan and do not carry it out")
    .option("--time <duration>", "in all; the size of the plan 'docker' follows from it", parseDurationMs)
    .option(
      "--memory <size>",
      "for all jobs together (default: the plan's, or three quarters of the machine's)",
      parseSizeBytes,
    )
    .option(
      "--processors <number>",
      "for all jobs together (default: the plan's, or the machine's)",
      integerBetween(1, 1024),
    )
    .option("--seed <number>", "what new seeds are drawn from (default: a random one, printed)", parseSeed)
    .option("--fresh", "begin a new night, even where the last one was not finished")
    .option(
      "--queue <url>",
      "have the jobs done by workers (zabcheck worker) that take them from this Redis: redis://HOST:PORT",
      parseQueueAddress,
    )
    .option("--results <folder>", "where nights are kept", "results/runs")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
A plan that was killed or ended goes on with the next call, and does nothing twice.

Examples:
  zabcheck nightly embedded
  zabcheck nightly docker --time 8h
  zabcheck nightly docker --print > plan.json      # to begin with
  zabcheck nightly plan.json
  zabcheck nightly plan.json --queue redis://10.0.0.7    # on every host with: zabcheck worker --queue ...`,
    )
    .action(async (plan: string, flags: NightlyFlags) => {
      const { nightlyCommand } = await import("../nightly/nightly-command.ts");
      await nightlyCommand(plan, flags);
    });
}
