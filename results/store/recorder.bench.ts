/** Events a second that a recorder takes, each handed to the kernel before the next. Run: node dist/results/store/recorder.bench.js */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HistoryRecorder } from "./recorder.ts";

const events = 100_000;
const folder = mkdtempSync(join(tmpdir(), "zabcheck-bench-"));
try {
  for (const through of [true, false]) {
    const rates: number[] = [];
    for (let round = 0; round < 7; round++) {
      const recorder = new HistoryRecorder(join(folder, `${String(through)}-${round}.jsonl`), through);
      const start = performance.now();
      for (let i = 0; i < events; i++) {
        recorder.append({
          time: i * 1000,
          process: i % 5,
          type: i % 2 === 0 ? "invoke" : "ok",
          f: "setData",
          value: { path: "/zabcheck/register-1", data: `3.${i}`, version: -1 },
          zxid: 4294967296 + i,
          server: "server-1",
          session: "0x1000012ab340000",
        });
      }
      recorder.close();
      rates.push(events / ((performance.now() - start) / 1000));
    }
    rates.sort((a, b) => a - b);
    const [min = 0, median = 0, max = 0] = [rates[0], rates[3], rates[6]];
    const name = through ? "each event by write(2)" : "in batches";
    console.log(
      `${name}: min ${Math.round(min)}, median ${Math.round(median)}, max ${Math.round(max)} events/s`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
