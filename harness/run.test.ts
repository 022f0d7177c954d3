import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findRun, readHistory, readManifest, runOutput } from "../results/index.ts";
import { main } from "./main.ts";

// Seconds on an idle machine; more where others work, too.
vi.setConfig({ testTimeout: 180_000 });

let results = "";
let stdout = "";
let stderr = "";
beforeEach(() => {
  results = mkdtempSync(join(tmpdir(), "zabcheck-run-"));
  stdout = stderr = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((stderr += String(text)), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
  rmSync(results, { recursive: true, force: true });
});

function zabcheck(...words: readonly string[]): Promise<number> {
  return main([...words, "--results", results]);
}

const short = ["--time", "10s", "--seed", "3", "--faults", "partition,kill,pause"];

test("a run is kept whole: manifest, history, journal of faults, servers' data, report, and the link to the newest", async () => {
  expect(await zabcheck("run", "register", ...short, "--json")).toBe(0);
  const output = JSON.parse(stdout) as {
    directory: string;
    operations: number;
    history: string;
    verdict: string;
  };
  expect(runOutput.safeParse(output).error).toBeUndefined();
  expect(output.operations).toBeGreaterThan(1000);
  expect(readdirSync(output.directory).toSorted()).toEqual([
    "faults.jsonl",
    "history.jsonl",
    "manifest.json",
    "report.html",
    "servers",
  ]);
  expect(readdirSync(join(output.directory, "servers"))).toEqual(["server-1", "server-2", "server-3"]);
  expect(findRun("latest", results)).toBe(output.directory);
  expect(readlinkSync(join(results, "register", "latest"))).toMatch(/^\d{8}T\d{6}Z-3$/);
  const manifest = readManifest(output.directory);
  expect(manifest).toMatchObject({
    status: "complete",
    outcome: "holds",
    seed: 3,
    operations: output.operations,
  });
  const { events, torn } = await readHistory(output.history);
  expect(torn).toBe(false);
  expect(events.filter(({ process, type }) => typeof process === "number" && type === "invoke")).toHaveLength(
    output.operations,
  );
  expect(events.some(({ process }) => process === "faults")).toBe(true);
  expect(events.some(({ process }) => process === "watches")).toBe(true);
});

test("a seed repeats the run, byte for byte", async () => {
  await zabcheck("run", "register", ...short, "--json");
  await zabcheck("run", "register", ...short, "--json");
  const [first = "", second = ""] = stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { history: string }).history);
  expect(first).not.toBe(second);
  expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
});

test("leaders are elected under faults, and no fencing token runs back", async () => {
  expect(await zabcheck("run", "leader-election", ...short, "--json")).toBe(0);
  const { history } = JSON.parse(stdout) as { history: string };
  const { events } = await readHistory(history);
  const led = events.filter(({ process, f }) => process === "leaders" && f === "lead");
  expect(led.length).toBeGreaterThan(5);
  expect(new Set(led.map(({ value }) => (value as { candidate: string }).candidate)).size).toBeGreaterThan(5);
});

test("a seeded defect is found, said on standard output, and exits 1", async () => {
  expect(
    await zabcheck(
      "run",
      "register",
      "--defect",
      "commit-without-quorum",
      "--faults",
      "partition",
      "--time",
      "20s",
      "--seed",
      "1",
    ),
  ).toBe(1);
  expect(stdout).toMatch(/^VIOLATED {2}writes-/m);
  expect(stdout).toMatch(/^again: {2}zabcheck run register .*--seed 1 .*--defect commit-without-quorum$/m);
  const report = readFileSync(join(findRun("latest", results), "report.html"), "utf8");
  expect(report).toContain("data-operation=");
});

test("a run that is interrupted heals, checks and keeps what there is", async () => {
  setTimeout(() => process.emit("SIGINT"), 400);
  const code = await zabcheck(
    "run",
    "register",
    "--time",
    "1000h",
    "--seed",
    "3",
    "--faults",
    "pause",
    "--rate",
    "200",
  );
  expect(code).toBe(0);
  const manifest = readManifest(findRun("latest", results));
  expect(manifest.status).toBe("interrupted");
  expect(manifest.operations).toBeGreaterThan(0);
  expect(stderr).toContain("ending early");
});
