import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeEvent, encodeHeader } from "../../model/index.ts";
import { judgeZookeeper } from "./check.ts";
import { readZookeeperFile } from "./history/read-file.ts";
import { simulatedHistory, type SimulationOptions } from "./simulated-history.ts";

/*
 * Prints how long it takes to read a history of a given number of operations from a file and to judge it, and the
 * memory that it needs: once with reads and writes of registers only, once with creates, deletes, lists of children,
 * multis, sessions that end.
 */
const operations = Number(process.argv[2] ?? 1_000_000);
const runs = 3;
const common = { seed: 3, steps: Math.ceil(operations * 2.84), clients: 16, losses: 2 };
const folder = mkdtempSync(join(tmpdir(), "zabcheck-bench-"));

function write(path: string, options: SimulationOptions): void {
  const file = openSync(path, "w");
  writeSync(file, encodeHeader());
  let lines: string[] = [];
  for (const event of simulatedHistory(options)) {
    if (lines.push(encodeEvent(event)) < 10_000) continue;
    writeSync(file, lines.join(""));
    lines = [];
  }
  writeSync(file, lines.join(""));
  closeSync(file);
}

/** Seconds that pass, and seconds of processor. */
function timed<T>(run: () => T): { readonly result: T; readonly wall: number; readonly processor: number } {
  const [start, before] = [performance.now(), process.cpuUsage()];
  const result = run();
  const { user, system } = process.cpuUsage(before);
  return { result, wall: (performance.now() - start) / 1000, processor: (user + system) / 1e6 };
}

function measure(name: string, path: string): void {
  for (let run = 0; run < runs; run++) {
    const read = timed(() => readZookeeperFile(path));
    const judged = timed(() => judgeZookeeper(read.result.history));
    const outcomes = [...new Set(judged.result.map(({ verdict }) => verdict))].join(" ");
    const resident = Math.round(process.memoryUsage().rss / 2 ** 20);
    process.stdout.write(
      `${name}: ${read.result.operations} operations read in ${read.wall.toFixed(2)} s (${read.processor.toFixed(2)} of processor), ` +
        `judged in ${judged.wall.toFixed(2)} s (${judged.processor.toFixed(2)} of processor): ${outcomes}; ${resident} MiB resident\n`,
    );
  }
}

try {
  const [registers, all] = [join(folder, "registers.jsonl"), join(folder, "all.jsonl")];
  write(registers, { ...common, expiries: 1, registersOnly: true });
  measure("registers", registers);
  write(all, { ...common, expiries: 40 });
  measure("everything", all);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
