import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { livenessOf, type Owner } from "../../clusters/index.ts";
import { nightFiles, nightsOf, readHistory, readManifest } from "../../results/index.ts";
import type { Random } from "../random.ts";

/** For tests: kills a plan, or one of its runs, again and again, and checks what is left each time. */

export interface KillOptions {
  readonly command: readonly string[];
  /** The plan's file; it is called `small.json`, or by what `name` says. */
  readonly plan: string;
  readonly name?: string;
  readonly results: string;
  readonly kills: number;
  readonly random: Random;
  /** After how long, at most, a kill comes. */
  readonly withinMs: number;
  /** Called after each kill, when the processes of the plan have ended. */
  readonly afterEach?: () => Promise<void>;
}

export interface KillReport {
  readonly kills: number;
  readonly ofThePlan: number;
  readonly ofARun: number;
  /** Histories that were read. */
  readonly histories: number;
}

/** Throws what is not as it should be: a history that cannot be read, a process that goes on, a job done twice. */
export async function killRepeatedly(options: KillOptions): Promise<KillReport> {
  const { command, plan, name = "small", results, random, withinMs } = options;
  const report = { kills: 0, ofThePlan: 0, ofARun: 0, histories: 0 };
  while (report.kills < options.kills) {
    const [program, ...words] = [...command, "nightly", plan, "--results", results];
    const child = spawn(program, words, { stdio: "ignore" });
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    await Promise.race([sleep(random.between(0, withinMs)), ended]);
    // A night that came to its end is followed by another.
    if (child.exitCode !== null) continue;
    report.kills++;
    const run = lastRun(results, name);
    if (run !== undefined && random.chance(0.5)) {
      report.ofARun++;
      kill(run.pid);
      await sleep(random.between(0, 500));
    } else report.ofThePlan++;
    child.kill("SIGKILL");
    await ended;
    await allEnded(results, name, child);
    for (const night of nightsOf(results, name)) report.histories += await checkNight(night);
    await options.afterEach?.();
  }
  return report;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

/** The process that was started last and has not been told to have ended. */
function lastRun(results: string, name: string): Owner | undefined {
  const night = nightsOf(results, name).at(-1);
  return night === undefined ? undefined : ownersIn(night).findLast((owner) => livenessOf(owner) === "alive");
}

function linesOf(night: string): readonly { readonly [field: string]: unknown }[] {
  const journal = join(night, nightFiles.journal);
  if (!existsSync(journal)) return [];
  return readFileSync(journal, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as { readonly [field: string]: unknown }];
      } catch {
        return [];
      }
    });
}

function ownersIn(night: string): readonly Owner[] {
  return linesOf(night).flatMap(({ event, owner }) => (event === "running" ? [owner as Owner] : []));
}

const endMsMax = 150_000;

/** Runs whose supervisor is gone end themselves. */
async function allEnded(results: string, name: string, plan: ChildProcess): Promise<void> {
  const deadline = performance.now() + endMsMax;
  for (;;) {
    const alive = nightsOf(results, name)
      .flatMap(ownersIn)
      .filter((owner) => livenessOf(owner) === "alive");
    if (alive.length === 0) return;
    if (performance.now() > deadline) {
      const pids = alive.map(({ pid }) => pid).join(", ");
      throw new Error(`processes ${pids} go on after the plan's (${plan.pid ?? 0}) was killed`);
    }
    await sleep(100);
  }
}

/** Every history of a night reads, and no job that has ended was started again. Returns how many histories there are. */
export async function checkNight(night: string): Promise<number> {
  const ended = new Set<unknown>();
  for (const { event, job } of linesOf(night)) {
    if (event === "started" && ended.has(job)) throw new Error(`${String(job)} was done and is done again`);
    if (event === "ended" && ended.has(job)) throw new Error(`${String(job)} ended twice`);
    if (event === "ended") ended.add(job);
  }
  let histories = 0;
  for (const directory of runsOf(night)) {
    readManifest(directory);
    const history = join(directory, "history.jsonl");
    if (!existsSync(history) || readFileSync(history).length === 0) continue;
    await readHistory(history);
    histories++;
  }
  return histories;
}

function runsOf(night: string): readonly string[] {
  const below = (folder: string): readonly string[] =>
    existsSync(folder)
      ? readdirSync(folder, { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map(({ name }) => join(folder, name))
      : [];
  return below(join(night, nightFiles.runs))
    .flatMap(below)
    .flatMap(below)
    .filter((directory) => existsSync(join(directory, "manifest.json")));
}
