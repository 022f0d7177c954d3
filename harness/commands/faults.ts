import type { Command } from "commander";
import type { RunFlags } from "./run.ts";
import { withClusterOptions } from "./run.ts";

/** What `zabcheck faults` was told. */
export type FaultsFlags = Pick<
  RunFlags,
  "cluster" | "servers" | "observers" | "image" | "release" | "upgradeTo" | "publish" | "json"
>;

/** `zabcheck faults`: what `--faults` can name, and what of it works here. */
export function addFaults(program: Command): void {
  withClusterOptions(
    program
      .command("faults")
      .description(
        "list the faults, and try out which of them an ensemble can do here, and why not the others",
      ),
  )
    .option("--json", "print one JSON object")
    .action(async (flags: FaultsFlags) => {
      const { faultsCommand } = await import("../faults-command.ts");
      await faultsCommand(flags);
    });
}
