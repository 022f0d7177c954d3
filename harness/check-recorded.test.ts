import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { main } from "./main.ts";

vi.setConfig({ testTimeout: 120_000 });

let results = "";
let stdout = "";
beforeEach(() => {
  results = mkdtempSync(join(tmpdir(), "zabcheck-recorded-"));
  stdout = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
  rmSync(results, { recursive: true, force: true });
});

interface Output {
  readonly history: string;
  readonly checks: readonly { readonly name: string; readonly verdict: string }[];
}

async function zabcheck(...words: readonly string[]): Promise<Output> {
  stdout = "";
  expect(await main(words)).toBe(0);
  return JSON.parse(stdout) as Output;
}

test("a run's history is judged by the checks of its workload, also later and by its file", async () => {
  for (const workload of ["lock", "queue"]) {
    const words = ["--time", "1s", "--seed", "1", "--results", results, "--json"];
    const ran = await zabcheck("run", workload, ...words);
    const checked = await zabcheck("check", ran.history, "--json");
    const own = ran.checks.filter(({ name }) => name !== "recovery");
    expect(checked.checks.map(({ name, verdict }) => [name, verdict])).toEqual(
      own.map(({ name, verdict }) => [name, verdict]),
    );
  }
});

test("what ZooKeeper promises is judged in place as with a report, for which the events are read", async () => {
  const sound = await zabcheck(
    "run",
    "register",
    "--time",
    "1s",
    "--seed",
    "1",
    "--results",
    results,
    "--json",
  );
  const broken = join(results, "broken.jsonl");
  const text = readFileSync(sound.history, "utf8");
  const damaged = text.replace(/("type":"ok","f":"getData".*"version":)\d+/, "$1777");
  expect(damaged).not.toBe(text);
  writeFileSync(broken, damaged);
  for (const [history, code] of [
    [sound.history, 0],
    [broken, 1],
  ] as const) {
    const outputs: unknown[] = [];
    for (const report of [[], ["--report", join(results, "report.html")]]) {
      stdout = "";
      expect(await main(["check", history, "--as", "zookeeper", "--json", ...report])).toBe(code);
      const { files, ...output } = JSON.parse(stdout) as { readonly files: readonly object[] };
      outputs.push([output, files.map((file) => ({ ...file, seconds: 0, readSeconds: 0 }))]);
    }
    expect(outputs[1]).toEqual(outputs[0]);
  }
});
