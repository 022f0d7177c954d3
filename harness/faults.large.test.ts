import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dockerForTests } from "../clusters/index.ts";
import { readManifest, startModule } from "../results/index.ts";
import { families } from "./faults/index.ts";

const docker = await dockerForTests();
let results = "";
beforeAll(() => {
  results = mkdtempSync(join(tmpdir(), "zabcheck-faults-"));
});
afterAll(() => rmSync(results, { recursive: true, force: true }));

/** A run of the command; its recovery's counts. Every promise must hold. */
async function run(...words: readonly string[]): Promise<{ readonly [name: string]: number }> {
  const cli = new URL("./cli.ts", import.meta.url);
  const { code, stdout, stderr } = await startModule(cli, ["run", ...words, "--results", results, "--json"])
    .ended;
  expect(code, `${words.join(" ")}\n${stderr}\n${stdout.slice(0, 3_000)}`).toBe(0);
  const { directory } = JSON.parse(stdout) as { directory: string };
  const recovery = readManifest(directory).verdicts.find(({ name }) => name === "recovery");
  return recovery?.counts ?? {};
}

describe.skipIf(docker.reason !== undefined)(docker.title("every fault against real servers"), () => {
  for (const { name } of families.filter(({ needs }) => needs !== "clock-rate")) {
    test(`${name}: takes effect, the ensemble recovers, and every promise holds`, async () => {
      const counts = await run(
        "register",
        "--cluster",
        "docker",
        "--faults",
        name,
        "--time",
        "30s",
        "--seed",
        "1",
      );
      expect(counts["applied"]).toBeGreaterThan(0);
      expect(counts["failed"]).toBe(0);
    });
  }

  test("all of them in one run, and a leader election", async () => {
    for (const workload of ["register", "leader-election"]) {
      const counts = await run(
        workload,
        "--cluster",
        "docker",
        "--faults",
        "all",
        "--time",
        "60s",
        "--seed",
        "1",
      );
      expect(counts["applied"]).toBeGreaterThan(5);
    }
  });

  for (const shape of [
    ["--servers", "1"],
    ["--servers", "5"],
    ["--servers", "3", "--observers", "2"],
    ["--servers", "3", "--release", "3.8.6,3.9.5"],
    ["--servers", "3", "--release", "3.8.6"],
    ["--servers", "3", "--release", "3.6.4"],
    ["--servers", "3", "--release", "3.4.14"],
  ]) {
    test(`all of them on ${shape.join(" ")}`, async () => {
      const counts = await run(
        "register",
        "--cluster",
        "docker",
        ...shape,
        "--faults",
        "all",
        "--time",
        "45s",
        "--seed",
        "2",
      );
      expect(counts["applied"]).toBeGreaterThan(2);
    });
  }
});

describe("every fault of the embedded ensemble", () => {
  for (const workload of ["register", "leader-election"]) {
    for (const shape of [
      ["--servers", "1"],
      ["--servers", "3"],
      ["--servers", "5", "--observers", "2"],
    ]) {
      test(`${workload} on ${shape.join(" ")}, 30 seeds: every promise holds`, async () => {
        for (let seed = 1; seed <= 30; seed++) {
          await run(workload, ...shape, "--faults", "all", "--time", "60s", "--seed", String(seed));
        }
      });
    }
  }
});
