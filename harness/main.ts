import { Command, CommanderError } from "commander";
import type { InputError, OperationError } from "../model/index.ts";
import { commands } from "./commands/index.ts";
import { exitCodes } from "./exit-codes.ts";
import { version } from "./version.ts";

/**
 * Runs the command line and resolves to the exit code: 0 all hold, 1 violated, 2 unknown, 64 wrong usage or
 * unreadable input, 70 internal error or the cluster could not be brought up.
 */
export async function main(argv: readonly string[]): Promise<number> {
  process.exitCode = 0;
  const program = makeProgram();
  try {
    if (argv.length === 0) {
      program.outputHelp();
      return exitCodes.holds;
    }
    await program.parseAsync([...argv], { from: "user" });
    return Number(process.exitCode);
  } catch (error) {
    return report(error, argv);
  }
}

export function makeProgram(): Command {
  const program = new Command("zabcheck")
    .description("Checks that ZooKeeper and its protocol ZAB keep their promises.")
    .version(version(), "-V, --version")
    .helpCommand("help [command]", "what a command does and which options it takes")
    .addHelpText(
      "after",
      "\nExit codes: 0 all hold, 1 violated, 2 unknown, 64 wrong usage or unreadable input, 70 internal error or no cluster.",
    );
  for (const add of commands) add(program);
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .configureOutput({ outputError: () => {} })
      .showSuggestionAfterError(true);
  }
  return program;
}

function report(error: unknown, argv: readonly string[]): number {
  if (error instanceof CommanderError) return reportUsage(error, argv);
  // By name, not by class: importing the model only to name an error would cost every start of the command.
  if (error instanceof Error && (error.name === "InputError" || error.name === "OperationError")) {
    const { message, hint } = error as InputError | OperationError;
    complain(message, hint);
    return error.name === "InputError" ? exitCodes.usage : exitCodes.internal;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`zabcheck: internal error, please report it: ${stack}\n`);
  return exitCodes.internal;
}

/** Commander writes help itself; of its errors it gives `error: what's wrong` and perhaps a suggestion in a second line. */
function reportUsage(error: CommanderError, argv: readonly string[]): number {
  if (error.exitCode === 0) return exitCodes.holds;
  if (error.code === "commander.help") return exitCodes.usage;
  const text = error.message.replace(/^error: /, "");
  const command = argv.find((word) => !word.startsWith("-"));
  const known = makeProgram().commands.some((each) => each.name() === command);
  const see = `see: zabcheck ${known ? `${command} ` : ""}--help`;
  const [, what = text, hint = see] =
    /^([^]*?) is invalid(?: for argument '\w*')?\. ([^]*)$/.exec(text) ??
    /^([^]*?)\n\(([^]*)\)$/.exec(text) ??
    [];
  complain(what === text ? text : what.includes("argument '") ? `${what} is invalid` : what, hint);
  return exitCodes.usage;
}

/** One readable line, whatever the message holds. */
function complain(message: string, hint: string): void {
  const line = (text: string): string => text.replaceAll(/\s*[\r\n]+\s*/g, " ").trim();
  process.stderr.write(`zabcheck: ${line(message)}${hint === "" ? "" : ` (${line(hint)})`}\n`);
}
