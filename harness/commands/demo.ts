import type { Command } from "commander";
import { parseSeed } from "../command-line.ts";
import { withClusterOptions } from "./run.ts";

/** What `zabcheck demo` was told. */
export interface DemoFlags {
  readonly cluster: string;
  readonly servers: number;
  readonly image?: string;
  readonly release?: string;
  readonly publish?: number;
  readonly seed: number;
  readonly results: string;
  readonly json?: boolean;
}

/** `zabcheck demo`, which is what `npm start` does. */
export function addDemo(program: Command): void {
  withClusterOptions(
    program
      .command("demo")
      .description("explore a model, break an ensemble, check every history: all jobs in a minute"),
  )
    .option("--seed <number>", "of every run", parseSeed, 7)
    .option("--results <folder>", "where runs are kept", "results/runs")
    .option("--json", "print one JSON object")
    .action(async (flags: DemoFlags) => {
      const { demoCommand } = await import("../demo-command.ts");
      await demoCommand(flags);
    });
}
