import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { findRun, readManifest, replayOutput } from "../../results/index.ts";
import { main } from "../main.ts";
import { compareHistories } from "./compare-histories.ts";
import { changedVerdicts } from "./replay-run.ts";

vi.setConfig({ testTimeout: 180_000 });

let results = "";
let original = "";
let stdout = "";
let stderr = "";

beforeAll(async () => {
  results = mkdtempSync(join(tmpdir(), "zabcheck-replay-"));
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  await main([
    ...["run", "register", "--time", "6s", "--seed", "5", "--faults", "kill,partition", "--rate", "300"],
    ...["--option", "keys=3", "--results", results],
  ]);
  original = findRun("latest", results);
  vi.restoreAllMocks();
});
afterAll(() => rmSync(results, { recursive: true, force: true }));
beforeEach(() => {
  stdout = stderr = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((stderr += String(text)), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

const zabcheck = (...words: readonly string[]): Promise<number> => main([...words, "--results", results]);
const historyOf = (directory: string): string => join(directory, "history.jsonl");

/** A copy of the original whose manifest or history has been changed. */
function changed(name: string, change: (directory: string) => void): string {
  const directory = join(results, "changed", name);
  rmSync(directory, { recursive: true, force: true });
  cpSync(original, directory, { recursive: true });
  change(directory);
  return directory;
}

function edit(directory: string, fields: object): void {
  const path = join(directory, "manifest.json");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...fields }));
}

test("a run on the embedded ensemble is repeated byte for byte, and that is said", async () => {
  expect(await zabcheck("replay", original)).toBe(0);
  expect(stdout).toMatch(/^the same history, byte for byte: \d+ events$/m);
  expect(stdout).toMatch(/^the same verdicts: \d+$/m);
  const again = findRun("latest", results);
  expect(again).not.toBe(original);
  expect(readFileSync(historyOf(again)).equals(readFileSync(historyOf(original)))).toBe(true);
  expect(readManifest(again).parameters).toMatchObject({
    replayOf: original,
    command: `zabcheck replay ${original}`,
  });
});

test("a replay can be replayed, and --json says what was compared", async () => {
  expect(await zabcheck("replay", "latest", "--json")).toBe(0);
  const output = JSON.parse(stdout) as { replay: { sameHistory: boolean; commonEvents: number } };
  expect(replayOutput.safeParse(output).error).toBeUndefined();
  expect(output.replay).toMatchObject({ sameHistory: true, changed: [] });
  expect(output.replay.commonEvents).toBeGreaterThan(500);
});

test("a history that comes out otherwise is never a pass, and it is said from where on and what is different", async () => {
  const strayed = changed("strayed", (directory) => {
    const lines = readFileSync(historyOf(directory), "utf8").split("\n");
    lines[100] = lines[100]!.replace('"process":', '"process": ');
    writeFileSync(historyOf(directory), lines.join("\n"));
    edit(directory, { zabcheck: "0.0.1" });
  });
  expect(await zabcheck("replay", strayed)).toBe(2);
  expect(stdout).toMatch(/^ANOTHER HISTORY from event 99 on: zabcheck was 0\.0\.1 and is /m);
});

test("of a run that was cut off the beginning is compared", async () => {
  const cut = changed("cut", (directory) => {
    truncateSync(historyOf(directory), 50_000);
    edit(directory, { status: "running", verdicts: [], outcome: null });
  });
  expect(await zabcheck("replay", cut)).toBe(0);
  expect(stdout).toMatch(/^the same history as far as the run had come .*: \d+ events$/m);
  expect(stdout).toContain("the run was not judged then");
});

test("a run without the options that it was started with says how to run it again", async () => {
  const old = changed("old", (directory) => edit(directory, { parameters: { command: "zabcheck run x" } }));
  expect(await zabcheck("replay", old)).toBe(64);
  expect(stderr).toMatch(
    /does not keep the options of the run \(run it again with its command: zabcheck run x\)/,
  );
  const broken = changed("broken", (directory) =>
    edit(directory, { parameters: { flags: { cluster: "moon" } } }),
  );
  expect(await zabcheck("replay", broken)).toBe(64);
  expect(stderr).toMatch(/manifest\.json: parameters\.flags: cluster: /);
});

test("what is neither a run nor a trace is refused with what was expected", async () => {
  expect(await zabcheck("replay", join(results, "nothing"))).toBe(64);
  expect(stderr).toMatch(
    /nothing: cannot be read: ENOENT.*\(expected a file .* or the directory of a run\)$/m,
  );
});

test("a schedule that is printed and given back is the run that its seed draws", async () => {
  const words = ["run", "register", "--time", "6s", "--seed", "5", "--rate", "300", "--option", "keys=3"];
  expect(await zabcheck(...words, "--faults", "kill,partition", "--print-schedule")).toBe(0);
  const path = join(results, "schedule.json");
  writeFileSync(path, stdout);
  expect(JSON.parse(stdout)).toEqual(readManifest(original).schedule);
  for (const file of [path, join(original, "manifest.json")]) {
    expect(await zabcheck(...words, "--schedule", file)).toBe(0);
    const given = findRun("latest", results);
    expect(compareHistories(historyOf(given), historyOf(original)).same).toBe(true);
    expect(readManifest(given).parameters["command"]).toContain(`--schedule ${file}`);
  }
});

test("a schedule that cannot be used is refused with file, line and place", async () => {
  const path = join(results, "bad.json");
  const refused = async (text: string, message: RegExp): Promise<void> => {
    writeFileSync(path, text);
    stderr = "";
    expect(await zabcheck("run", "register", "--time", "1s", "--schedule", path)).toBe(64);
    expect(stderr).toMatch(message);
  };
  await refused('[\n  {"startMs": 1,}\n]', /bad\.json:2:\d+: is no JSON/);
  await refused(
    '[{"startMs": -1, "holdMs": 1, "family": "kill", "plan": {}}]',
    /bad\.json: schedule: \[0\]\.startMs: /,
  );
  await refused('[{"startMs": 1, "holdMs": 1, "family": "flood", "plan": {}}]', /unknown fault 'flood'/);
  expect(await zabcheck("run", "register", "--time", "1s", "--schedule", path, "--faults", "kill")).toBe(64);
  expect(stderr).toContain("--schedule and --faults exclude each other");
});

test("histories are compared by whole lines, and a beginning is told from another way", () => {
  const [a, b] = [join(results, "a.jsonl"), join(results, "b.jsonl")];
  const lines = ["header", "one", "two", "three", ""].join("\n");
  writeFileSync(a, lines);
  writeFileSync(b, lines);
  expect(compareHistories(a, b)).toEqual({ same: true, events: 3 });
  appendFileSync(b, "torn");
  expect(compareHistories(a, b)).toEqual({ same: true, events: 3 });
  appendFileSync(b, "\n");
  expect(compareHistories(a, b)).toEqual({ same: false, events: 3, ended: "first" });
  expect(compareHistories(b, a)).toEqual({ same: false, events: 3, ended: "second" });
  writeFileSync(b, lines.replace("two", "twx"));
  expect(compareHistories(a, b)).toEqual({ same: false, events: 1, ended: "neither" });
  writeFileSync(a, `header\n${"x".repeat(200_000)}\nend\n`);
  writeFileSync(b, `header\n${"x".repeat(200_000)}\nEnd\n`);
  expect(compareHistories(a, b)).toEqual({ same: false, events: 1, ended: "neither" });
});

test("a verdict that is another, new or gone has changed", () => {
  const of = (name: string, verdict: "holds" | "violated") => ({ name, verdict, detail: "" });
  const before = [of("a", "holds"), of("b", "holds"), of("c", "holds")];
  expect(changedVerdicts(before, [of("a", "holds"), of("b", "violated"), of("d", "holds")])).toEqual([
    "b",
    "c",
    "d",
  ]);
  expect(changedVerdicts(before, before)).toEqual([]);
});
