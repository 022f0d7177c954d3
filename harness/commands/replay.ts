import type { Command } from "commander";

interface ReplayFlags {
  readonly results: string;
  readonly changes?: boolean;
  readonly json?: boolean;
}

/** `zabcheck replay RUN|TRACE`: repeats a run with its seed and schedule, or a counterexample step by step. */
export function addReplay(program: Command): void {
  program
    .command("replay")
    .description("repeat a run with its seed and schedule, or a counterexample step by step, and compare")
    .argument("<run|trace>", "latest, the directory of a run, or a file of zabcheck explore --trace FILE")
    .option("--results <folder>", "where runs are kept", "results/runs")
    .option(
      "--changes",
      "tell what each step of a counterexample changes, also where the model has words for its steps",
    )
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
A run on the embedded ensemble gives the same history again, byte for byte, or the exit code is 2.
Of real servers, whose time is never the same, the schedule is repeated and the verdicts are compared.`,
    )
    .action(async (what: string, flags: ReplayFlags) => {
      const { explorationTrace, findRun, isRun } = await import("../../results/index.ts");
      if (!isRun(what, flags.results)) {
        const { replayCommand } = await import("../exploring/replay-command.ts");
        return replayCommand(what, flags);
      }
      const directory = findRun(what, flags.results);
      const trace = explorationTrace(directory);
      if (trace !== undefined) {
        const { replayCommand } = await import("../exploring/replay-command.ts");
        return replayCommand(trace, flags);
      }
      const { replayRun } = await import("../replay/replay-run.ts");
      return replayRun(directory, flags);
    });
}
