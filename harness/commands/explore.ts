import type { Command } from "commander";

/** `zabcheck explore NAME|FILE`: a model's parameters are its options, so that they are declared once it is known. */
export function addExplore(program: Command): void {
  program
    .command("explore")
    .description("explore every state of a model within its bounds")
    .argument("[model]", "a model's name (see: zabcheck models), or a module of your own: ./my-model.js")
    .argument("[options...]", "the model's parameters and how to explore: zabcheck explore NAME --help")
    .usage("<model> [options]")
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_model: unknown, _options: unknown, _flags: unknown, command: Command) => {
      const { exploreCommand } = await import("../exploring/explore-command.ts");
      await exploreCommand(command.args);
    });
}
