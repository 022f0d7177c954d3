import type { Command } from "commander";
import type { Swept } from "../../clusters/index.ts";
import { print, printJson } from "../command-line.ts";

interface CleanFlags {
  readonly all?: boolean;
  readonly json?: boolean;
}

/** `zabcheck clean`: removes what killed runs left at the Docker Engine and in the scratch folders. */
export function addClean(program: Command): void {
  program
    .command("clean")
    .description("remove the containers, networks, volumes and scratch folders that killed runs left")
    .option("--all", "also those of runs that still live, and of other machines that use this Docker Engine")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nResults, images and what others made are never touched.")
    .action(clean);
}

async function clean(flags: CleanFlags): Promise<void> {
  const { connectEngine, sweep } = await import("../../clusters/index.ts");
  const swept = await sweep(await connectEngine(), { all: flags.all === true });
  if (flags.json === true) printJson(swept);
  else for (const line of linesOf(swept)) print(line);
}

function linesOf(swept: Swept): readonly string[] {
  const { containers, networks, volumes, folders, kept } = swept;
  const removed = [
    [containers, "container"],
    [networks, "network"],
    [volumes, "volume"],
    [folders, "scratch folder"],
  ] as const;
  const parts = removed
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count} ${what}${count === 1 ? "" : "s"}`);
  return [
    parts.length === 0 ? "nothing to remove" : `removed ${parts.join(", ")}`,
    ...kept.map(
      (run) => `kept run ${run}: its process lives, or is on another machine (--all removes it, too)`,
    ),
  ];
}
