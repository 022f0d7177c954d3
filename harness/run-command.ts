import { randomBytes } from "node:crypto";
import { worst } from "../checkers/index.ts";
import type { Cluster } from "../clusters/index.ts";
import { InputError, type Json } from "../model/index.ts";
import { makeCluster } from "./clusters.ts";
import { exitWith, listOf, print, printJson } from "./command-line.ts";
import type { RunFlags } from "./commands/run.ts";
import { evidenceLines } from "./evidence/text.ts";
import type { FaultFamily } from "./faults/fault-family.ts";
import { tryFamilies } from "./faults-command.ts";
import { families } from "./faults/index.ts";
import { drawSchedule, readScheduleFile, type Schedule } from "./faults/schedule.ts";
import { withInterruption } from "./interruption.ts";
import { named } from "./named.ts";
import { makeProgress, type Progress } from "./progress.ts";
import { recordedFlags } from "./replay/recorded-flags.ts";
import { run, type RunRequest, type RunResult } from "./run.ts";
import { commandOfRun, rateOf } from "./run-words.ts";
import { allVerdictLines } from "./verdicts.ts";
import { workloads } from "./workloads/index.ts";

/**
 * How long faults are held, and how long the ensemble has to recover before the next. Virtual time is cheap and can
 * be full of faults; real servers take seconds to come back, and a run without operations is no evidence.
 */
const pace = {
  embedded: { holdMs: [1_500, 6_000], gapMs: [1_000, 5_000] },
  docker: { holdMs: [500, 4_000], gapMs: [2_000, 8_000] },
} as const;

/** `zabcheck run`. Throws InputError and OperationError; otherwise it ends with the verdict's exit code. */
export async function runCommand(name: string, flags: RunFlags): Promise<void> {
  const progress = await makeProgress();
  const request = await prepareRun(name, flags, progress, givenSchedule(flags));
  if (flags.printSchedule === true) {
    await request.cluster.stop();
    print(JSON.stringify(request.schedule, null, 2));
    return;
  }
  const result = await withInterruption(
    (interruption) => run(request, progress, interruption),
    progress.note,
  );
  progress.done();
  if (flags.json === true) printJson(runOutputOf(result));
  else for (const line of runLines(result)) print(line);
  exitWith(result.manifest.outcome ?? "unknown");
}

/** What of a run is given, and not drawn. */
export interface Given {
  /** In place of the one that the seed draws. */
  readonly schedule?: Schedule;
  /** For the manifest: why there is this run. */
  readonly parameters?: { readonly [name: string]: Json };
}

function givenSchedule({ schedule: path, faults }: RunFlags): Given {
  if (path === undefined) return {};
  if (faults !== "none")
    throw new InputError("--schedule and --faults exclude each other", "give one of them");
  return { schedule: readScheduleFile(path) };
}

/**
 * A run as the command line asks for it, its cluster made and not yet started.
 * Throws InputError and OperationError before anything is written.
 */
export async function prepareRun(
  name: string,
  flags: RunFlags,
  progress: Progress,
  given: Given = {},
): Promise<RunRequest> {
  const workload = named("workload", name, workloads).prepare(flags.option);
  const chosen = given.schedule === undefined ? familiesOf(flags.faults) : familiesIn(given.schedule);
  const seed = flags.seed ?? randomBytes(4).readUInt32BE();
  const { time: durationMs, servers, observers = 0, clients, results } = flags;
  const rate = rateOf(flags);
  progress.note(`seed ${seed}`);
  const names = chosen.map(({ name }) => name);
  const cluster = await makeCluster(flags, seed, progress.note, names);
  const isAll = given.schedule === undefined && flags.faults === "all";
  const usable = await prepareFaults(cluster, chosen, isAll, progress);
  const bounds = {
    durationMs,
    servers,
    observers,
    ...(flags.cluster === "docker" ? pace.docker : pace.embedded),
  };
  const schedule = given.schedule ?? drawSchedule(seed, usable, bounds);
  const faults = usable.map(({ name }) => name);
  return {
    workload,
    cluster,
    defect: flags.defect ?? null,
    schedule,
    seed,
    durationMs,
    clients,
    rate,
    sessionTimeoutMs: flags.sessionTimeout,
    results,
    parameters: {
      faults,
      ...(observers === 0 ? {} : { observers }),
      flags: recordedFlags(flags),
      command: commandOfRun(name, { ...flags, faults: faults.join(",") || "none" }, seed),
      ...given.parameters,
    },
  };
}

export function familiesOf(list: string): readonly FaultFamily[] {
  const names = families.map((family) => family.name);
  if (list === "all") return families;
  return listOf("fault", names)(list).map((each) => named("fault", each, families));
}

/** The families that a schedule names. */
function familiesIn(schedule: Schedule): readonly FaultFamily[] {
  return families.filter(({ name }) => schedule.some(({ family }) => family === name));
}

/**
 * Has the cluster prepare for the families that it can do, and returns them. Of `all` the others are left out, with a
 * note; of a list, each was wanted by name.
 * Throws InputError, the cluster stopped, where one of a list cannot be had.
 */
async function prepareFaults(
  cluster: Cluster,
  chosen: readonly FaultFamily[],
  isAll: boolean,
  progress: Progress,
): Promise<readonly FaultFamily[]> {
  try {
    const usable: FaultFamily[] = [];
    for (const { family, support } of await tryFamilies(cluster, chosen)) {
      if (support.supported) usable.push(family);
      else if (isAll) progress.note(`without ${family.name}: ${support.reason}`);
      else throw new InputError(`no ${family.name} here: ${support.reason}`, "leave it out of --faults");
    }
    await cluster.prepare(usable.map(({ needs }) => needs));
    return usable;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** The object of `zabcheck run --json`. */
export function runOutputOf({ manifest, directory, history }: RunResult): object {
  return {
    verdict: manifest.outcome ?? "unknown",
    checks: manifest.verdicts,
    operations: manifest.operations,
    history,
    directory,
    seed: manifest.seed,
    ...(manifest.evidence === undefined ? {} : { evidence: manifest.evidence }),
  };
}

/** A run's outcome for people. */
export function runLines({ manifest, directory }: RunResult): readonly string[] {
  const { verdicts, operations, cluster, seed, status, evidence } = manifest;
  const outcome = worst(verdicts.map(({ verdict }) => verdict));
  const ended = status === "interrupted" ? "; ended early" : "";
  return [
    ...allVerdictLines(verdicts),
    "",
    ...(evidence === undefined ? [] : evidenceLines(evidence)),
    `${outcome}: ${manifest.scenario} on ${cluster.version}, ${cluster.servers.length} servers, ${operations} operations, ${manifest.schedule.length} faults scheduled, seed ${seed}${ended}`,
    `report: ${directory}/report.html`,
    ...(outcome === "holds" ? [] : [`again:  ${String(manifest.parameters["command"])}`]),
  ];
}
