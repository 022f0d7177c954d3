import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { nightFiles, nightlyOutput, nightsOf, type NightSummary } from "../../results/index.ts";
import { builtCommand } from "../for-tests.ts";
import { Random } from "../random.ts";
import { checkNight, killRepeatedly } from "./kills.for-tests.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let command: readonly string[] = [];
let results = "";
beforeAll(async () => {
  command = await builtCommand();
});
beforeEach(() => (results = mkdtempSync(join(tmpdir(), "zabcheck-nightly-"))));
afterEach(() => rmSync(results, { recursive: true, force: true }));
afterAll(() => undefined);

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function zabcheck(words: readonly string[], prefix: readonly string[] = []): Promise<Ended> {
  const [program = "", ...rest] = [...prefix, ...command, ...words];
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr };
}

function planFile(plan: object, name = "small.json"): string {
  const path = join(results, name);
  writeFileSync(path, JSON.stringify(plan));
  return path;
}

const quick = { workloads: ["register"], time: "3s", rate: 200, clients: 4 };

test("a night leaves a page, a summary, JUnit and Markdown; the next one says what is new, what is known and what is gone", async () => {
  // Long enough, and at a rate, that it fails whatever the seed draws (12 seeds of 12).
  const failing = { ...quick, time: "30s", rate: 100, faults: ["partition"] };
  const defect = { ...failing, seeds: [1], defect: "commit-without-quorum" };
  const explorations = [{ model: "die-hard", time: "30s" }];
  const plan = planFile({ runs: [{ ...quick, faults: ["kill"], seeds: [5] }, defect], explorations });
  const words = ["nightly", plan, "--results", results, "--json"];
  const first = await zabcheck(words);
  expect(first.code, first.stderr).toBe(1);
  const output = JSON.parse(first.stdout) as { directory: string; summary: NightSummary };
  expect(nightlyOutput.safeParse(output).error).toBeUndefined();
  const { summary, directory } = output;
  expect(summary.jobs.map(({ status, verdict }) => `${status} ${verdict}`)).toEqual([
    "done violated",
    "done holds",
    "done violated",
  ]);
  expect(
    summary.failures.some(({ where }) => where === "register on embedded with commit-without-quorum"),
  ).toBe(true);
  expect(summary.failures.every(({ isNew }) => isNew)).toBe(true);
  for (const name of ["page", "markdown", "junit", "summary", "journal"] as const)
    expect(existsSync(join(directory, nightFiles[name]))).toBe(true);
  for (const { directory: run } of summary.jobs) {
    expect(existsSync(join(directory, run ?? "missing", "report.html"))).toBe(true);
  }
  // The command that is told shows the failure again.
  const again = summary.failures.find(({ where }) => where.includes("commit-without-quorum"))!.jobs[0]!
    .command;
  const repeated = await zabcheck([...again.split(" ").slice(1), "--results", join(results, "again")]);
  expect(repeated.code, repeated.stderr).toBe(1);

  writeFileSync(plan, JSON.stringify({ runs: [{ ...quick, faults: ["kill"], seeds: [6] }], explorations }));
  const second = await zabcheck(words);
  const { summary: later } = JSON.parse(second.stdout) as { summary: NightSummary };
  expect(later.comparedWith).toBe(summary.startedAt);
  expect(later.failures.map(({ where, isNew }) => [where, isNew])).toEqual([["the model die-hard", false]]);
  // Nobody looked for the defect again.
  expect(later.gone).toEqual([]);
  expect(nightsOf(results, "small")).toHaveLength(2);
});

test("a plan that cannot be read, or works at the same time elsewhere, is refused", async () => {
  const plan = planFile({ runs: [{ ...quick, faults: ["kil"] }] });
  const refused = await zabcheck(["nightly", plan, "--results", results]);
  expect([refused.code, refused.stdout]).toEqual([64, ""]);
  expect(refused.stderr).toMatch(/small\.json: runs\[0\]\.faults\[0\]: unknown fault 'kil'/);
  writeFileSync(plan, JSON.stringify({ runs: [{ ...quick, faults: ["kill"], seeds: 3 }] }));
  const [program, ...rest] = [...command, "nightly", plan, "--results", results];
  const first = spawn(program, rest, { stdio: "ignore" });
  const over = new Promise((resolve) => first.once("exit", resolve));
  while (!existsSync(join(nightsOf(results, "small")[0] ?? "", nightFiles.journal))) await sleep(50);
  const second = await zabcheck(["nightly", plan, "--results", results]);
  expect([second.code, second.stderr]).toEqual([70, expect.stringMatching(/works at the plan 'small'/)]);
  first.kill("SIGINT");
  expect(await over).toBe(2);
});

test("the command that is printed for a plan is the plan", async () => {
  const { stdout, code } = await zabcheck(["nightly", "docker", "--time", "2h", "--print"]);
  expect(code).toBe(0);
  const printed = planFile(JSON.parse(stdout) as object, "docker.json");
  expect(await zabcheck(["nightly", printed, "--print"])).toMatchObject({ code: 0, stdout });
});

/** A file system of its own, gone with the process: everything on it is. */
const tinyDisk = (mebibytes: number): readonly string[] => [
  ...["unshare", "--mount", "sh", "-c"],
  `mount -t tmpfs -o size=${mebibytes}m none "$0" && exec "$@"`,
];

const canMount = process.getuid?.() === 0 && existsSync("/usr/bin/unshare");

test.skipIf(!canMount)(
  "a disk that is full ends the plan cleanly, and what is done is told (where this user may mount one)",
  async () => {
    const disk = mkdtempSync(join(tmpdir(), "zabcheck-tiny-"));
    const plan = planFile({ runs: [{ ...quick, faults: ["none"] }] });
    try {
      const { code, stdout, stderr } = await zabcheck(
        ["nightly", plan, "--results", disk],
        [...tinyDisk(8), disk],
      );
      expect(code, stderr).toBe(70);
      expect(stdout).toMatch(
        /The disk is full: 1 job was not run; once there is room the same command goes on/,
      );
    } finally {
      rmSync(disk, { recursive: true, force: true });
    }
  },
);

test("a plan that is killed at any moment, or whose run is, goes on and does nothing twice", async () => {
  const plan = planFile({ runs: [{ ...quick, faults: ["kill,pause"], seeds: 5 }] });
  const random = new Random(20, "kills");
  const report = await killRepeatedly({ command, plan, results, kills: 4, random, withinMs: 6000 });
  expect(report.kills).toBe(4);
  const last = await zabcheck(["nightly", plan, "--results", results]);
  expect([0, 2]).toContain(last.code);
  const nights = nightsOf(results, "small");
  for (const night of nights) await checkNight(night);
  expect(readdirSync(nights.at(-1)!)).toContain(nightFiles.page);
  expect(readFileSync(join(nights.at(-1)!, nightFiles.journal), "utf8")).toContain('"finished"');
});
