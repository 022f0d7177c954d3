import type { Command } from "commander";
import { print } from "../command-line.ts";

interface ReportFlags {
  readonly results: string;
  readonly open?: boolean;
}

/** `zabcheck report`: writes a run's report anew, also that of a run that was cut off. */
export function addReport(program: Command): void {
  program
    .command("report")
    .description("write the report of a run anew, and say where it lies")
    .argument("<run>", "latest, or the directory of a run")
    .option("--results <folder>", "where runs are kept", "results/runs")
    .option("--open", "show it in the browser")
    .action(async (run: string, flags: ReportFlags) => {
      const { findRun, renderRun } = await import("../../results/index.ts");
      const path = await renderRun(findRun(run, flags.results));
      print(path);
      if (flags.open === true) await openInBrowser(path);
    });
}

async function openInBrowser(path: string): Promise<void> {
  const { spawn } = await import("node:child_process");
  const opener = process.platform === "darwin" ? "open" : "xdg-open";
  const child = spawn(opener, [path], { detached: true, stdio: "ignore" });
  child.on("error", () =>
    process.stderr.write(`zabcheck: no browser could be started (${opener} is missing)\n`),
  );
  child.unref();
}
