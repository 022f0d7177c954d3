import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { exploreOutput, findRun, modelsOutput } from "../../results/index.ts";
import { main } from "../main.ts";

vi.setConfig({ testTimeout: 120_000 });

let folder = "";
let stdout = "";
let stderr = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zabcheck-explore-"));
  stdout = stderr = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((stderr += String(text)), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
  rmSync(folder, { recursive: true, force: true });
});

/** What it prints, and the exit code. */
async function zabcheck(
  ...words: readonly string[]
): Promise<{ readonly code: number; readonly text: string }> {
  stdout = "";
  const code = await main(words);
  return { code, text: stdout };
}

const small = ["--operations", "2", "--moves", "0"];

describe("zabcheck explore replicated-service", () => {
  test("tells a verdict of each promise, and its histories as steps and as clients saw them", async () => {
    const { code, text } = await zabcheck("explore", "replicated-service", ...small, "--results", folder);
    expect(code).toBe(1);
    expect(text).toMatch(/^holds {5}WritesLinearizable +holds in all \d+ histories \(beginnings included/m);
    expect(text).toMatch(/^VIOLATED {2}ReadsLinearizable/m);
    expect(text).toMatch(/^holds {5}SessionOrder/m);
    expect(text).toMatch(/^holds {5}SyncedReads .*\d+ of them show the known anomaly stale-sync/m);
    expect(text).toContain(
      "a history breaks ReadsLinearizable: a shortest path there, of 7 states\n  1. c1: setData",
    );
    expect(text).toContain("a history shows the anomaly stale-sync: a shortest path there, of 8 states");
    expect(text).toContain('ok      getData  {"path":"/x","data":""}');
  });

  test("keeps histories that zabcheck check judges the same", async () => {
    await zabcheck("explore", "replicated-service", ...small, "--results", folder);
    const again = /again: zabcheck (check .*ReadsLinearizable.*)$/m.exec(stdout)?.[1] ?? "";
    const directory = findRun("latest", folder);
    expect(readdirSync(directory)).toEqual(
      expect.arrayContaining(["history-ReadsLinearizable.jsonl", "history-SyncedReads-anomaly.jsonl"]),
    );
    const broken = await zabcheck(...again.split(" "));
    expect(broken.code).toBe(1);
    expect(broken.text).toMatch(/^VIOLATED {2}linearizable/m);
    const stale = await zabcheck(
      "check",
      join(directory, "history-SyncedReads-anomaly.jsonl"),
      "--as",
      "zookeeper",
    );
    expect(stale.code).toBe(0);
    expect(stale.text).toContain("class stale-sync");
    expect(readFileSync(join(directory, "report.html"), "utf8")).toContain("A history that breaks");
  });

  test("writes a history where it is told to, and a trace that can be replayed", async () => {
    const [history, trace] = [join(folder, "history.jsonl"), join(folder, "trace.json")];
    await zabcheck(
      "explore",
      "replicated-service",
      ...small,
      "--no-keep",
      "--history",
      history,
      "--trace",
      trace,
    );
    expect(stdout).toContain(`history: ${history}, of ReadsLinearizable`);
    expect((await zabcheck("check", history, "--as", "versioned-register", "--initial", "null")).code).toBe(
      1,
    );
    const replayed = await zabcheck("replay", trace);
    expect(replayed.code).toBe(1);
    expect(replayed.text).toContain("ReadsLinearizable is broken after 6 steps");
    expect(replayed.text).toContain('1. c1: setData("<c1>.1")');
  });

  test("prints one object with the histories in it", async () => {
    const { text } = await zabcheck("explore", "replicated-service", ...small, "--no-keep", "--json");
    const output = JSON.parse(text) as { histories: { property: string; kind: string; events: unknown[] }[] };
    expect(exploreOutput.safeParse(output).error).toBeUndefined();
    expect(output.histories.map(({ property, kind }) => `${property} ${kind}`)).toEqual([
      "ReadsLinearizable violation",
      "SyncedReads anomaly",
    ]);
    expect(output.histories[0]?.events).toHaveLength(6);
  });

  test("refuses several workers in one line", async () => {
    expect((await zabcheck("explore", "replicated-service", "--workers", "2", "--no-keep")).code).toBe(64);
    expect(stderr).toContain("zabcheck: 2 workers and histories (histories are judged by one worker)\n");
  });
});

describe("zabcheck explore of a recipe", () => {
  const herd = ["explore", "leader-election", "--variant", "watch-leader", "--no-keep"];

  test("tells a counterexample in the words of the client API, and how many a departure wakes", async () => {
    const { code, text } = await zabcheck(...herd);
    expect(code).toBe(1);
    expect(text).toMatch(
      /^ {2}1\. c\d: join; it sends create\("\/election\/<c\d>\.1-candidate-", "", ephemeral/m,
    );
    expect(text).toMatch(/^ 14\. c\d: delete\("\/election\/.*"\) = ok; it is out; that wakes c\d, c\d$/m);
    expect(text).toContain("measured  clients woken by one departure: 2 at most in what was explored");
    expect(text).not.toContain("->");
    expect(text).not.toContain("or more");
  });

  test("tells what each step changes, where it is asked to", async () => {
    const { text } = await zabcheck(...herd, "--changes");
    expect(text).toMatch(/^ +request\[c\d\] +null {2}-> {2}\[op \|-> "create"/m);
  });

  test("proves what is right but for its herd, and counts the herd", async () => {
    const { code, text } = await zabcheck(
      "explore",
      "lock",
      "--variant",
      "watch-all",
      "--allow-herd",
      "--no-keep",
    );
    expect(code).toBe(0);
    expect(text).toContain("measured  clients woken by one departure: 2 at most\n");
    expect(text).toMatch(/^holds {5}SomebodyWillHold/m);
  });

  test("counts states up to the names of clients, unless told otherwise", async () => {
    const bounds = ["explore", "lock", "--clients", "2", "--no-keep"];
    const distinct = async (...more: readonly string[]): Promise<number> => {
      const { text } = await zabcheck(...bounds, ...more, "--json");
      return (JSON.parse(text) as { distinct: number }).distinct;
    };
    const [symmetric, all] = [await distinct(), await distinct("--no-symmetry")];
    expect(symmetric).toBeLessThan(all);
    expect(symmetric).toBe(await distinct("--symmetry"));
  });

  test("prints measures and words in one object", async () => {
    const { text } = await zabcheck(...herd, "--json");
    const output = JSON.parse(text) as { measures: unknown; counterexample: { words: string[] } };
    expect(exploreOutput.safeParse(output).error).toBeUndefined();
    expect(output.measures).toEqual([{ name: "clients woken by one departure", most: 3, greatest: 2 }]);
    expect(output.counterexample.words).toHaveLength(14);
  });
});

describe("zabcheck models", () => {
  test("lists as one object names, parameters and variants, and nothing else", async () => {
    const { text } = await zabcheck("models", "--json");
    const output = JSON.parse(text) as { models: { name: string; variants: Record<string, unknown>[] }[] };
    expect(modelsOutput.safeParse(output).error).toBeUndefined();
    expect(Object.keys(output)).toEqual(["models"]);
    for (const model of output.models) {
      expect(Object.keys(model)).toEqual(["name", "parameters", "variants"]);
      for (const variant of model.variants) {
        expect(Object.keys(variant)).toEqual(["name", "holds", "property", "source"]);
        expect([model.name, variant["name"], variant["source"]]).not.toContain("");
        expect(variant["property"] === null).toBe(variant["holds"]);
      }
    }
  });

  test("tells people what breaks in a variant, and what it is known from", async () => {
    const { text } = await zabcheck("models");
    expect(text).toContain("--variant guid-of-closing-session: a protected create takes");
    expect(text).toContain("        breaks OnlyZombiesOverlap; known from: CURATOR-498\n");
    expect(text).toContain("        all holds\n");
  });
});
