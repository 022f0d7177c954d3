import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectEngine, dockerForTests, livenessOf } from "../../clusters/index.ts";
import { nightsOf } from "../../results/index.ts";
import { builtCommand } from "../for-tests.ts";
import { Random } from "../random.ts";
import { checkNight, killRepeatedly } from "./kills.for-tests.ts";

const execute = promisify(execFile);
const docker = await dockerForTests();
let results = "";
beforeEach(() => (results = mkdtempSync(join(tmpdir(), "zabcheck-kills-"))));
afterEach(() => rmSync(results, { recursive: true, force: true }));

/** Every other night comes to its end; the seeds are new in each. */
async function killed(run: object, kills: number, withinMs: number, afterEachKill: () => Promise<void>) {
  const command = await builtCommand();
  const plan = join(results, "small.json");
  writeFileSync(plan, JSON.stringify({ runs: [run] }));
  const random = new Random(Date.now() % 2 ** 32, "kills");
  const options = { command, plan, results, kills, random, withinMs, afterEach: afterEachKill };
  const report = await killRepeatedly(options);
  console.log(report);
  expect(report.kills).toBe(kills);
  expect(report.ofThePlan).toBeGreaterThan(0);
  expect(report.ofARun).toBeGreaterThan(0);
  expect(report.histories).toBeGreaterThan(0);
  // It resumes, and comes to its end.
  const [program, ...words] = [...command, "nightly", plan, "--results", results];
  await execute(program, words).catch((error: { readonly code: unknown; readonly stderr: string }) => {
    if (error.code !== 2) throw new Error(error.stderr);
  });
  for (const night of nightsOf(results, "small")) await checkNight(night);
}

test("25 kills at any moment, embedded: every history reads, nothing is done twice, and the plan resumes", async () => {
  const run = { workloads: "all", faults: ["all"], time: "10s", rate: 200, clients: 4, seeds: 5 };
  await killed(run, 25, 8000, async () => undefined);
});

describe.skipIf(docker.reason !== undefined)(docker.title("against real servers"), () => {
  test("25 kills at any moment: every history reads, a sweep leaves nothing, and the plan resumes", async () => {
    const [program, ...words] = [...(await builtCommand()), "clean"];
    const run = { workloads: ["register"], cluster: "docker", faults: ["all"], time: "15s", seeds: 3 };
    await killed(run, 25, 40_000, async () => {
      await execute(program, words);
      expect(await leftovers()).toEqual([]);
    });
  });
});

/** What lies at the Engine of processes that have ended. */
async function leftovers(): Promise<readonly string[]> {
  const engine = await connectEngine();
  const filters = { label: ["zabcheck.run"] };
  const containers = await engine.listContainers({ all: true, filters });
  const networks = await engine.listNetworks({ filters });
  const { Volumes: volumes } = await engine.listVolumes({ filters });
  return [
    ...containers.map(({ Id, Labels }) => ({ name: Id, labels: Labels })),
    ...networks.map(({ Id, Labels }) => ({ name: Id, labels: Labels ?? {} })),
    ...(volumes ?? []).map(({ Name, Labels }) => ({ name: Name, labels: Labels })),
  ].flatMap(({ name, labels }) => {
    const of = (field: string): string => labels[`zabcheck.${field}`] ?? "";
    const [start, host, boot, namespace] = [of("start"), of("host"), of("boot"), of("namespace")];
    const owner = { pid: Number(of("pid")), start, host, boot, namespace };
    return livenessOf(owner) === "alive" ? [] : [`${name} of process ${owner.pid}`];
  });
}
