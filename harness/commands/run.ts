import { InvalidArgumentError, Option, type Command } from "commander";
import { integerBetween, oneOf, parseDurationMs, parseSeed } from "../command-line.ts";
import { workloadSummaries } from "../workloads/names.ts";

/** What `zabcheck run` was told, as commander gives it. */
export interface RunFlags {
  readonly cluster: string;
  readonly servers: number;
  readonly observers?: number;
  readonly faults: string;
  /** A file; in place of faults that the seed draws. */
  readonly schedule?: string;
  readonly printSchedule?: boolean;
  readonly time: number;
  readonly seed?: number;
  readonly clients: number;
  readonly rate?: number;
  readonly sessionTimeout: number;
  readonly option: { readonly [name: string]: string };
  readonly defect?: string;
  readonly image?: string;
  readonly release?: string;
  readonly upgradeTo?: string;
  readonly publish?: number;
  readonly results: string;
  readonly json?: boolean;
}

/** `zabcheck run`: a workload against an ensemble under faults. */
export function addRun(program: Command): void {
  withClusterOptions(
    program
      .command("run")
      .description("drive a workload against an ensemble while faults are injected, and judge the history")
      .argument("<workload>", "one of those below"),
  )
    .option(
      "--faults <list>",
      "which faults (zabcheck faults), comma-separated; all that work here; or none",
      "none",
    )
    .option("--schedule <file>", "apply the faults of this schedule, or of this manifest, instead")
    .option("--print-schedule", "print the schedule and do not run it")
    .option("--time <duration>", "how long the workload runs: 60s, 5m", parseDurationMs, 60_000)
    .option("--seed <number>", "repeats a run's choices (default: a random one, printed)", parseSeed)
    .option("--clients <number>", "clients at a time", integerBetween(1, 1000), 10)
    .option(
      "--rate <number>",
      "operations a second over all clients, 0 for as many as are answered (default: 1000 embedded, 2000 docker)",
      integerBetween(0, 1_000_000),
    )
    .option("--session-timeout <duration>", "asked for by the clients", parseDurationMs, 2000)
    .option("-o, --option <name=value>", "an option of the workload; may be repeated", collectOption, {})
    .addOption(
      new Option("--defect <name>", "break the embedded ensemble in this way: the checkers have to notice"),
    )
    .option("--results <folder>", "where runs are kept", "results/runs")
    .option("--json", "print one JSON object")
    .addOption(
      new Option(
        "--upgrade-to <version>",
        "docker: where the fault upgrade leads (default: 3.9.5, or 3.8.6 from there)",
      ),
    )
    .addHelpText(
      "after",
      `
Workloads:
${workloadLines()}

Examples:
  zabcheck run register --faults partition,kill,pause --time 60s --seed 7
  zabcheck run register --servers 5 --observers 2 --faults all
  zabcheck run leader-election --cluster docker --release 3.8.6,3.9.5 --faults disk-full,power-cut
  zabcheck run register --defect commit-without-quorum --faults partition`,
    )
    .action(async (workload: string, flags: RunFlags) => {
      const { runCommand } = await import("../run-command.ts");
      await runCommand(workload, flags);
    });
}

function workloadLines(): string {
  const entries = Object.entries(workloadSummaries);
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`).join("\n");
}

/** The options of every command that brings up a cluster. */
export function withClusterOptions(command: Command): Command {
  return command
    .option("--cluster <kind>", "embedded or docker", oneOf("cluster", ["embedded", "docker"]), "embedded")
    .option("--servers <number>", "servers of the ensemble that vote", integerBetween(1, 9), 3)
    .option("--observers <number>", "servers without a vote", integerBetween(0, 9), 0)
    .option(
      "--release <version>",
      "docker: the ZooKeeper release, such as 3.9.5; several, such as 3.8.6,3.9.5, are taken in turn (default: 3.9.5)",
    )
    .option("--image <name>", "docker: any image of the official image's contract, in place of a release")
    .option(
      "--publish <port>",
      "docker: publish client ports from this one on, where containers cannot be reached",
      integerBetween(1, 65_535),
    );
}

function collectOption(
  text: string,
  before: { readonly [name: string]: string },
): { readonly [name: string]: string } {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("expected name=value");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
