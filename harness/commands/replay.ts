import type { Command } from "commander";

/** `zabcheck replay TRACE`: runs a counterexample again, step by step. */
export function addReplay(program: Command): void {
  program
    .command("replay")
    .description("run a counterexample again, step by step, and say so when the model has changed under it")
    .argument("<trace>", "a file that zabcheck explore --trace FILE has written")
    .option("--changes", "tell what each step changes, also where the model has words for its steps")
    .option("--json", "print one JSON object")
    .action(async (path: string, flags: { readonly json?: boolean; readonly changes?: boolean }) => {
      const { replayCommand } = await import("../exploring/replay-command.ts");
      await replayCommand(path, flags);
    });
}
