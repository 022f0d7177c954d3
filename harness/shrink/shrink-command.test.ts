import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { findRun, readManifest, shrinkOutput } from "../../results/index.ts";
import { main } from "../main.ts";

vi.setConfig({ testTimeout: 240_000 });

let results = "";
let original = "";
let stdout = "";
let stderr = "";

beforeAll(async () => {
  results = mkdtempSync(join(tmpdir(), "zabcheck-shrink-"));
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  // Long enough, and at a rate, that it fails whatever the seed draws (12 seeds of 12).
  const defect = ["--defect", "commit-without-quorum", "--faults", "partition"];
  await main([
    ...["run", "register", "--time", "30s", "--seed", "3", "--rate", "100", "--clients", "4"],
    ...[...defect, "--results", results],
  ]);
  original = findRun("latest", results);
  expect(readManifest(original).outcome).toBe("violated");
  vi.restoreAllMocks();
});
afterAll(() => rmSync(results, { recursive: true, force: true }));
beforeEach(() => {
  stdout = stderr = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((stderr += String(text)), true));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  process.exitCode = 0;
});

const zabcheck = (...words: readonly string[]): Promise<number> => main([...words, "--results", results]);

interface Output {
  readonly shrink: {
    readonly property: string;
    readonly ending: string;
    readonly runs: number;
    readonly directory: string;
    readonly before: { readonly faults: number; readonly durationMs: number; readonly clients: number };
    readonly after: { readonly faults: number; readonly durationMs: number; readonly clients: number };
  };
}

function runsKept(): readonly string[] {
  return readdirSync(join(results, "register")).filter((name) => name !== "latest");
}

for (const strategy of ["fast-check", "delta-debugging"]) {
  test(`by ${strategy} a run gets smaller; the smallest alone is kept, and replaying it fails in the same way`, async () => {
    const before = runsKept();
    expect(await zabcheck("shrink", original, "--by", strategy, "--time", "120s", "--json")).toBe(1);
    const output = JSON.parse(stdout) as Output;
    expect(shrinkOutput.safeParse(output).error).toBeUndefined();
    const { shrink } = output;
    expect(shrink.ending).toBe("nothing smaller fails");
    expect(shrink.after.faults).toBeLessThan(shrink.before.faults);
    expect(shrink.after.durationMs).toBeLessThan(shrink.before.durationMs / 2);
    expect(shrink.after.clients).toBeLessThan(shrink.before.clients);
    expect(runsKept().filter((name) => !before.includes(name))).toHaveLength(1);
    expect(readdirSync(results).filter((name) => name.startsWith("."))).toEqual([]);
    const kept = readManifest(shrink.directory);
    expect(kept.schedule).toHaveLength(shrink.after.faults);
    expect(kept.parameters).toMatchObject({
      shrunkFrom: original,
      property: shrink.property,
      command: `zabcheck replay ${shrink.directory}`,
    });
    expect(existsSync(join(shrink.directory, "report.html"))).toBe(true);
    expect(findRun("latest", results)).toBe(shrink.directory);
    stdout = "";
    expect(await zabcheck("replay", shrink.directory)).toBe(1);
    expect(stdout).toMatch(/^the same history, byte for byte/m);
    expect(stdout).toMatch(new RegExp(`^VIOLATED\\s+${shrink.property}`, "m"));
  });
}

test("another property that is violated can be asked for, and one that is not is refused", async () => {
  const violated = readManifest(original).verdicts.filter(({ verdict }) => verdict === "violated");
  const last = violated.at(-1)?.name ?? "";
  expect(violated.length).toBeGreaterThan(1);
  expect(await zabcheck("shrink", original, "--property", last, "--time", "4s")).toBe(1);
  expect(stdout).toContain(`${last} is violated with`);
  expect(await zabcheck("shrink", original, "--property", "recovery")).toBe(64);
  expect(stderr).toMatch(/'recovery' is not violated in it \(.*there are: /);
});

test("Ctrl-C keeps the smallest so far", async () => {
  let trials = 0;
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += String(text);
    if (/it fails with/.test(String(text)) && ++trials === 2) process.emit("SIGINT");
    return true;
  });
  expect(await zabcheck("shrink", original)).toBe(1);
  expect(stdout).toMatch(/^\d+ runs; ended early$/m);
  expect(stdout).toMatch(/^again: {2}zabcheck replay /m);
  expect(readManifest(findRun("latest", results)).parameters["shrunkFrom"]).toBe(original);
});

test("a search that is out of time says so, and keeps what it has", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    if (/it fails with/.test(String(text))) vi.advanceTimersByTime(2000);
    return true;
  });
  expect(await zabcheck("shrink", original, "--time", "2s")).toBe(1);
  expect(stdout).toMatch(/^\d+ runs; the time is up$/m);
});

test("a run that does not fail again is unknown, and one that never failed is refused", async () => {
  const other = join(results, "other");
  cpSync(original, other, { recursive: true });
  const path = join(other, "manifest.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as { parameters: { flags: { defect?: string } } };
  delete manifest.parameters.flags.defect;
  writeFileSync(path, JSON.stringify(manifest));
  expect(await zabcheck("shrink", other, "--repeat", "2")).toBe(2);
  expect(stdout).toMatch(/^unknown: \S+ was not violated again in 2 runs; it did not fail again$/m);
  writeFileSync(path, JSON.stringify({ ...manifest, verdicts: [] }));
  expect(await zabcheck("shrink", other)).toBe(64);
  expect(stderr).toContain("nothing is violated in it (give a run that failed)");
});
