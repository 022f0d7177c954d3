import { spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { thisOwner } from "../../clusters/index.ts";
import { nightFiles } from "../../results/index.ts";
import { job, standIn } from "./for-tests.ts";
import type { Job } from "./job.ts";
import { readJournal, type JobResult } from "./journal.ts";
import type { Night } from "./night.ts";
import type { Plan } from "./plan.ts";
import { localWorkforce } from "./workforce.ts";
import { supervise, type NightOutcome, type SupervisorOptions } from "./supervisor.ts";

vi.setConfig({ testTimeout: 120_000 });

let folder = "";
let program: { readonly command: readonly string[]; readonly calls: string };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zabcheck-night-"));
  program = standIn(folder);
  for (const part of [nightFiles.runs, nightFiles.logs]) mkdirSync(join(folder, part));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const plan: Plan = { attempts: 3, keep: {}, runs: [], explorations: [] };

function nightOf(jobs: readonly Job[]): Night {
  const startedAt = "2026-01-01T00:00:00.000Z";
  return { directory: folder, name: "test", written: {}, plan, seed: 1, startedAt, jobs, zabcheck: "0" };
}

function night(jobs: readonly Job[], more: Partial<SupervisorOptions> = {}): Promise<NightOutcome> {
  const journal = join(folder, nightFiles.journal);
  return supervise({
    night: nightOf(jobs),
    state: existsSync(journal) ? readJournal(journal) : undefined,
    workforce: localWorkforce({ directory: folder, command: program.command }),
    capacity: { memoryBytes: 100, processors: 4 },
    budgetMs: undefined,
    interruption: new AbortController().signal,
    observer: { started() {}, postponed() {}, ended() {}, note() {} },
    makeRoom() {},
    backoffMs: 10,
    ...more,
  });
}

function callsOf(id: string): number {
  if (!existsSync(program.calls)) return 0;
  return readFileSync(program.calls, "utf8")
    .split("\n")
    .filter((line) => line.endsWith(` ${id}`)).length;
}

function told({ results }: NightOutcome, id: string): Pick<JobResult, "status" | "verdict"> {
  const { status, verdict } = results.get(id)!;
  return { status, verdict };
}

test("every job comes to its verdict, whatever the others do", async () => {
  const jobs = [
    job("good", ["holds"]),
    job("bad", ["violates"]),
    job("undecided", ["unknown"]),
    job("hanging", ["hangs"], { limitMs: 1500 }),
    job("deaf", ["deaf"], { limitMs: 1500, graceMs: 300 }),
    job("broken", ["crashes"]),
    job("killed", ["dies"]),
    job("misspelt", ["refuses"]),
    job("missing", ["absent"]),
    job("greedy", ["eats"], { processBytes: 2 ** 28 }),
  ];
  const outcome = await night(jobs);
  expect(outcome.ending).toBe("finished");
  expect(Object.fromEntries(jobs.map(({ id }) => [id, told(outcome, id)]))).toEqual({
    good: { status: "done", verdict: "holds" },
    bad: { status: "done", verdict: "violated" },
    undecided: { status: "done", verdict: "unknown" },
    hanging: { status: "hung", verdict: "unknown" },
    deaf: { status: "hung", verdict: "unknown" },
    broken: { status: "crashed", verdict: "unknown" },
    killed: { status: "crashed", verdict: "unknown" },
    misspelt: { status: "refused", verdict: "unknown" },
    missing: { status: "could not start", verdict: "unknown" },
    greedy: { status: "out of memory", verdict: "unknown" },
  });
  const detail = (id: string): string => outcome.results.get(id)?.detail ?? "";
  expect(detail("hanging")).toBe("it did not end within 1.5 s");
  expect(detail("deaf")).toContain("and had to be killed");
  expect(detail("killed")).toContain("killed by SIGKILL; nothing in what it recorded is violated");
  expect(detail("broken")).toContain("exit code 70: internal error");
  expect(detail("misspelt")).toContain("unknown fault 'flood'");
  expect(detail("missing")).toContain("no Docker Engine answers");
  expect(outcome.results.get("killed")).toMatchObject({ operations: 3 });
  expect(outcome.results.get("deaf")?.directory).toMatch(/^runs\/deaf\/register\//);
  // What could not start was tried as often as the plan says, and nothing else twice.
  expect(callsOf("missing")).toBe(3);
  for (const { id } of jobs) if (id !== "missing") expect([id, callsOf(id)]).toEqual([id, 1]);
});

test("a violation is never tried again", async () => {
  const outcome = await night([job("bad", ["violates"])]);
  expect([told(outcome, "bad").verdict, callsOf("bad"), outcome.starts.get("bad")]).toEqual([
    "violated",
    1,
    1,
  ]);
});

test("as many jobs run together as processors and memory allow", async () => {
  let [running, most] = [0, 0];
  const observer = {
    started: () => void (most = Math.max(most, ++running)),
    ended: () => void running--,
    postponed() {},
    note() {},
  };
  const jobs = Array.from({ length: 6 }, (_, i) => job(`job-${i}`, ["sleeps", "200"], { memoryBytes: 40 }));
  await night(jobs, { observer, capacity: { memoryBytes: 100, processors: 8 } });
  expect(most).toBe(2);
  rmSync(join(folder, nightFiles.journal));
  most = 0;
  await night(jobs, { observer, capacity: { memoryBytes: 1000, processors: 3 } });
  expect(most).toBe(3);
});

test("a night that was interrupted goes on with what was not done, and does nothing twice", async () => {
  const jobs = [job("first", ["holds"]), job("second", ["hangs"]), job("third", ["holds"])];
  const interruption = new AbortController();
  const one = { memoryBytes: 1, processors: 1 };
  const observer = {
    started: ({ id }: Job) => {
      if (id === "second") setTimeout(() => interruption.abort(), 700);
    },
    ended() {},
    postponed() {},
    note() {},
  };
  const cut = await night(jobs, { interruption: interruption.signal, capacity: one, observer });
  expect(cut.ending).toBe("ended early");
  expect(jobs.map(({ id }) => told(cut, id).status)).toEqual(["done", "not run", "not run"]);
  expect(readJournal(join(folder, nightFiles.journal)).finished).toBe(false);
  jobs[1] = job("second", ["holds"]);
  const rest = await night(jobs, { capacity: one });
  expect(jobs.map(({ id }) => told(rest, id).status)).toEqual(["done", "done", "done"]);
  expect(jobs.map(({ id }) => callsOf(id))).toEqual([1, 2, 1]);
  expect(readJournal(join(folder, nightFiles.journal)).finished).toBe(true);
});

test("a violation that an interrupted job has found is kept", async () => {
  const interruption = new AbortController();
  setTimeout(() => interruption.abort(), 700);
  const outcome = await night([job("bad", ["confesses"]), job("slow", ["hangs"])], {
    interruption: interruption.signal,
  });
  expect(told(outcome, "bad")).toEqual({ status: "ended early", verdict: "violated" });
  const journal = readJournal(join(folder, nightFiles.journal));
  expect([...journal.results.keys()]).toEqual(["bad"]);
});

test("no job is begun that would not end in time, and none runs on when the time is up", async () => {
  const jobs = [
    job("quick", ["sleeps", "100"]),
    job("long", ["hangs"], { expectedMs: 1000 }),
    job("late", ["holds"], { expectedMs: 60_000 }),
  ];
  const outcome = await night(jobs, { budgetMs: 4000 });
  expect(outcome.ending).toBe("out of time");
  expect(jobs.map(({ id }) => told(outcome, id).status)).toEqual(["done", "ended early", "not run"]);
  expect(outcome.results.get("late")?.detail).toBe("there was no time left for it");
  expect(callsOf("late")).toBe(0);
  // Such a night is over.
  expect(readJournal(join(folder, nightFiles.journal)).finished).toBe(true);
});

test("when only jobs are left that take too long, the night does not wait for its time to be up", async () => {
  const start = performance.now();
  const outcome = await night([job("late", ["holds"], { expectedMs: 60_000 })], { budgetMs: 50_000 });
  expect(outcome.ending).toBe("out of time");
  expect(performance.now() - start).toBeLessThan(20_000);
});

test("a full disk ends the night cleanly, first making room, and it goes on once there is some", async () => {
  let free = 100;
  let asked = 0;
  const jobs = [job("first", ["holds"]), job("second", ["holds"])];
  const outcome = await night(jobs, {
    capacity: { memoryBytes: 1, processors: 1 },
    free: () => free,
    freeBytesMin: 50,
    makeRoom: () => void asked++,
    observer: { started() {}, ended: () => void (free = 10), postponed() {}, note() {} },
  });
  expect(outcome.ending).toBe("the disk is full");
  expect(asked).toBeGreaterThan(0);
  expect(jobs.map(({ id }) => told(outcome, id))).toEqual([
    { status: "done", verdict: "holds" },
    { status: "not run", verdict: "unknown" },
  ]);
  free = 10;
  const rest = await night(jobs, { free: () => free, freeBytesMin: 50, makeRoom: () => void (free = 60) });
  expect(rest.ending).toBe("finished");
  expect([callsOf("first"), callsOf("second")]).toEqual([1, 1]);
});

test("what a full disk did to a job is no finding: it is done again", async () => {
  let free = 100;
  const jobs = [job("crashing", ["crashes"])];
  const filling = { started: () => void (free = 10), ended() {}, postponed() {}, note() {} };
  const outcome = await night(jobs, { free: () => free, freeBytesMin: 50, observer: filling });
  expect([outcome.ending, told(outcome, "crashing").status]).toEqual(["the disk is full", "not run"]);
});

test("what cannot even be started as a process is that job's failure", async () => {
  const outcome = await night([job("good", ["holds"])], {
    workforce: localWorkforce({ directory: folder, command: [join(folder, "no-such-program")] }),
  });
  expect(told(outcome, "good")).toEqual({ status: "crashed", verdict: "unknown" });
  expect(outcome.results.get("good")?.detail).toContain("cannot be started");
});

test("a job whose supervisor died is judged by what it left: done if its run was, else done again", async () => {
  const journal = join(folder, nightFiles.journal);
  const interruption = new AbortController();
  const jobs = [job("done", ["holds"]), job("cut", ["hangs"])];
  // Both are started by a process that dies before either has ended, as far as its journal says.
  setTimeout(() => interruption.abort(), 1500);
  await night(jobs, { interruption: interruption.signal });
  const lines = readFileSync(journal, "utf8").split("\n");
  writeFileSync(journal, lines.filter((line) => !line.includes('"ended"')).join("\n"));
  jobs[1] = job("cut", ["holds"]);
  const outcome = await night(jobs);
  expect(jobs.map(({ id }) => told(outcome, id).status)).toEqual(["done", "done"]);
  expect([callsOf("done"), callsOf("cut")]).toEqual([1, 2]);
});

test("a process that outlives its supervisor is ended before its job is done again", async () => {
  const orphan = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
    detached: true,
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => orphan.once("exit", (_, signal) => resolve(signal)));
  await sleep(200);
  const at = new Date().toISOString();
  const journal = join(folder, nightFiles.journal);
  const line = { event: "running", at, job: "lost", owner: thisOwner(orphan.pid) };
  appendFileSync(
    journal,
    `${JSON.stringify({ event: "started", at, job: "lost" })}\n${JSON.stringify(line)}\n`,
  );
  const outcome = await night([job("lost", ["holds"], { graceMs: 300 })]);
  expect(await ended).toBe("SIGKILL");
  expect([told(outcome, "lost").status, outcome.starts.get("lost")]).toEqual(["done", 2]);
});
