import type { Command } from "commander";
import { integerBetween, oneOf, parseDurationMs } from "../command-line.ts";

/** What `zabcheck shrink` was told. */
export interface ShrinkFlags {
  readonly property?: string;
  readonly by?: string;
  readonly repeat?: number;
  readonly time: number;
  readonly results: string;
  readonly json?: boolean;
}

const strategies = ["fast-check", "delta-debugging"];

/** `zabcheck shrink RUN`: looks for a smaller run that still fails. */
export function addShrink(program: Command): void {
  program
    .command("shrink")
    .description("look for a shorter schedule, with fewer faults and clients, that still fails")
    .argument("<run>", "latest, or the directory of a run that failed")
    .option("--property <name>", "the verdict that must be violated again (default: the first that was)")
    .option("--time <duration>", "search no longer than that", parseDurationMs, 600_000)
    .option(
      "--repeat <number>",
      "run a candidate so often before it is taken not to fail (default: 1 embedded, 3 docker)",
      integerBetween(1, 100),
    )
    .option(
      "--by <strategy>",
      "fast-check or delta-debugging (default: the first embedded, the second docker)",
      oneOf("strategy", strategies),
    )
    .option("--results <folder>", "where runs are kept", "results/runs")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nThe smallest run that failed is kept like any run. Ctrl-C keeps the smallest so far.",
    )
    .action(async (run: string, flags: ShrinkFlags) => {
      const { shrinkCommand } = await import("../shrink/shrink-command.ts");
      await shrinkCommand(run, flags);
    });
}
