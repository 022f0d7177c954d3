import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dockerForTests } from "../../clusters/index.ts";
import { readManifest, startModule } from "../../results/index.ts";
import { workloads } from "./index.ts";

const docker = await dockerForTests();
let results = "";
beforeAll(() => {
  results = mkdtempSync(join(tmpdir(), "zabcheck-workloads-"));
});
afterAll(() => rmSync(results, { recursive: true, force: true }));

/** A run of the command, in which every promise must hold. Returns the verdicts that nothing exercised. */
async function run(...words: readonly string[]): Promise<readonly string[]> {
  const cli = new URL("../cli.ts", import.meta.url);
  const flags = ["--results", results, "--json"];
  const { code, stdout, stderr } = await startModule(cli, ["run", ...words, ...flags]).ended;
  expect(code, `${words.join(" ")}\n${stderr}\n${stdout.slice(0, 3_000)}`).toBe(0);
  const { directory } = JSON.parse(stdout) as { directory: string };
  const { verdicts } = readManifest(directory);
  return verdicts.filter(({ vacuous }) => vacuous === true).map(({ name }) => name);
}

/** What belongs to all workloads, and need not be exercised by each of them. */
const common = [
  "recovery",
  "single-system-image",
  "staleness",
  "synced-reads",
  "multi",
  "ephemerals",
  "sequential-nodes",
  "watches",
  "session-end",
  "final-agreement",
];

describe("every workload under every fault of the embedded ensemble", () => {
  for (const { name } of workloads) {
    test(`${name}, 10 seeds: every promise holds, and every check of its own has something to judge`, async () => {
      for (let seed = 1; seed <= 10; seed++) {
        const vacuous = await run(name, "--faults", "all", "--time", "20s", "--seed", String(seed));
        expect(vacuous.filter((verdict) => !common.includes(verdict))).toEqual([]);
      }
    });
  }
});

describe.skipIf(docker.reason !== undefined)(docker.title("every workload against real servers"), () => {
  for (const release of ["3.9.5", "3.4.14"]) {
    for (const { name } of workloads) {
      test(`${name} on ${release}: every promise holds while links are cut and servers killed and paused`, async () => {
        const cluster = ["--cluster", "docker", "--release", release];
        const faults = ["--faults", "partition,kill,pause", "--time", "30s", "--seed", "1"];
        const vacuous = await run(name, ...cluster, ...faults);
        expect(vacuous.filter((verdict) => !common.includes(verdict))).toEqual([]);
      });
    }
  }
});
