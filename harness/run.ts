import { mkdirSync, writeFileSync } from "node:fs";
import os from "node:os";
import { worst, type Verdict } from "../checkers/index.ts";
import type { Cluster, Finding } from "../clusters/index.ts";
import { OperationError, type Json } from "../model/index.ts";
import { HistoryRecorder, RunDirectory, renderRun, type Manifest } from "../results/index.ts";
import { runEvidence } from "./evidence/run-evidence.ts";
import { FaultRunner } from "./fault-runner.ts";
import type { Schedule } from "./faults/schedule.ts";
import { duration, type Progress } from "./progress.ts";
import { Session } from "./session.ts";
import { version } from "./version.ts";
import { makeWorker } from "./worker.ts";
import type { PreparedWorkload, Settle } from "./workloads/workload.ts";
import { World } from "./world.ts";

/** Everything that decides a run. */
export interface RunRequest {
  readonly workload: PreparedWorkload;
  readonly cluster: Cluster;
  /** The name of the defect in an embedded ensemble, for the manifest. */
  readonly defect: string | null;
  readonly schedule: Schedule;
  readonly seed: number;
  readonly durationMs: number;
  readonly clients: number;
  /** Operations a second over all clients; 0 as fast as answers come. */
  readonly rate: number;
  readonly sessionTimeoutMs: number;
  /** The folder of all runs. */
  readonly results: string;
  /** False where nobody will look at the run: trials of a search. */
  readonly report?: boolean;
  /** What else the manifest is to tell, so that the run can be repeated. */
  readonly parameters: { readonly [name: string]: Json };
}

export interface RunResult {
  readonly directory: string;
  readonly history: string;
  readonly manifest: Manifest;
}

/** How long the ensemble may take to serve again once every fault is undone. */
const recoveryMs = 60_000;

/**
 * Runs a workload against an ensemble under faults, and judges its history.
 *
 * When `interruption` is aborted the run ends early: it heals, reads, collects, checks and keeps what there is.
 * Throws OperationError where the cluster could not be brought up (nothing is left behind then) or the results
 * could not be written. The cluster is stopped in every case.
 */
export async function run(
  request: RunRequest,
  progress: Progress,
  interruption: AbortSignal,
): Promise<RunResult> {
  const { cluster } = request;
  const directory = RunDirectory.create(request.results, manifestOf(request));
  try {
    const world = await begin(request, directory, progress);
    const recorded = await record(request, directory, progress, interruption, world);
    await judge(request, directory, progress, interruption, recorded);
  } finally {
    await cluster.stop();
  }
  directory.link();
  progress.done();
  return { directory: directory.path, history: directory.file("history"), manifest: directory.manifest };
}

/** Brings the ensemble up. A run that could not begin leaves nothing behind. */
async function begin(request: RunRequest, directory: RunDirectory, progress: Progress): Promise<World> {
  const { cluster } = request;
  progress.stage(`starting ${cluster.servers.length} servers`);
  try {
    await cluster.start();
    // Only now does a cluster of any image know which release it is.
    directory.update({ cluster: { ...directory.manifest.cluster, version: cluster.version } });
    const recorder = new HistoryRecorder(directory.file("history"), cluster.kind !== "embedded");
    return new World({
      cluster,
      recorder,
      seed: request.seed,
      workers: request.clients,
      rate: request.rate,
      sessionTimeoutMs: request.sessionTimeoutMs,
      // ZooKeeper's own client gives up on a server after two thirds of its session's time.
      requestTimeoutMs: Math.round((request.sessionTimeoutMs * 2) / 3),
    });
  } catch (error) {
    directory.discard();
    throw error;
  }
}

interface Recorded {
  readonly world: World;
  readonly faults: FaultRunner;
  readonly recovery: Verdict;
}

/** Workload and faults, then healing and the final reads. Whatever fails, the history is whole on disk afterwards. */
async function record(
  request: RunRequest,
  directory: RunDirectory,
  progress: Progress,
  interruption: AbortSignal,
  world: World,
): Promise<Recorded> {
  const { cluster, workload } = request;
  const faults = new FaultRunner(world, request.schedule, directory.file("faults"));
  const interrupted = (): void => world.stop();
  interruption.addEventListener("abort", interrupted);
  if (interruption.aborted) world.stop();
  try {
    await setUp(request, world);
    progress.stage(`running ${workload.name} for ${duration(request.durationMs)}`);
    const startNs = cluster.clock.now();
    let settles: readonly (Settle | void)[] = [];
    const telling = setInterval(() => {
      const elapsedMs = (cluster.clock.now() - startNs) / 1e6;
      progress.update(
        elapsedMs / request.durationMs,
        `${world.operations} operations, ${faults.applied} faults`,
      );
    }, 250);
    try {
      const workers = Array.from({ length: request.clients }, (_, i) => workload.work(makeWorker(world, i)));
      const faulting = faults.run();
      await Promise.race([
        timeUp(world, startNs + request.durationMs * 1e6),
        firstFailure([...workers, faulting]),
      ]);
      world.stop();
      await faulting;
      settles = await Promise.all(workers);
    } finally {
      clearInterval(telling);
    }
    progress.stage("healing, and reading from every server");
    const recovery = await recover(request, world, faults, settles);
    return { world, faults, recovery };
  } catch (error) {
    world.stop();
    const message = error instanceof Error ? error.message : String(error);
    directory.update({ status: "failed", error: message, operations: world.operations });
    throw error;
  } finally {
    interruption.removeEventListener("abort", interrupted);
    world.recorder.close();
    directory.update({ operations: world.operations });
    await collect(cluster, directory);
  }
}

async function setUp(request: RunRequest, world: World): Promise<void> {
  const session = new Session(world, {
    process: request.clients,
    random: world.random("setup"),
    untilNs: world.cluster.clock.now() + recoveryMs * 1e6,
  });
  await request.workload.setup(session);
  await session.close();
}

const sliceMs = 100;

async function timeUp(world: World, atNs: number): Promise<void> {
  while (!world.stopping) {
    const leftMs = (atNs - world.cluster.clock.now()) / 1e6;
    if (leftMs <= 0) return;
    await world.sleep(Math.min(sliceMs, leftMs));
  }
}

/** Rejects with the first failure among workers and faults; while all is well it never resolves. */
function firstFailure(promises: readonly Promise<unknown>[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const promise of promises) promise.catch(reject);
  });
}

/** How long clients may take to finish what they have begun, once the ensemble serves. */
const settleMs = 30_000;

/** Undoes what is left of the faults, waits for a quorum, lets the workers settle, and reads through every server. */
async function recover(
  request: RunRequest,
  world: World,
  faults: FaultRunner,
  settles: readonly (Settle | void)[],
): Promise<Verdict> {
  const { cluster, workload } = request;
  const name = "recovery";
  const vacuous = faults.applied === 0 ? { vacuous: true } : {};
  await cluster.heal();
  const counts = {
    planned: request.schedule.length,
    applied: faults.applied,
    failed: faults.failed,
    ...(cluster.findings.length > 0 ? { "known defects": cluster.findings.length } : {}),
  };
  const healedNs = cluster.clock.now();
  try {
    await cluster.awaitQuorum(recoveryMs);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const summary = `No quorum within ${duration(recoveryMs)} after every fault was undone: ${error.message} (${error.hint})`;
    return { name, verdict: "violated", detail: summary, violation: { summary, events: [] }, counts };
  }
  const tookMs = (cluster.clock.now() - healedNs) / 1e6;
  await settle(world, settles);
  const silent: string[] = [];
  for (const [i, server] of cluster.servers.entries()) {
    const session = new Session(world, {
      process: finalProcess(request.clients, i),
      random: world.random(`read/${server}`),
      only: server,
      untilNs: cluster.clock.now() + recoveryMs * 1e6,
    });
    await workload.read(session, server);
    if (session.connectedTo === undefined) silent.push(server);
    await session.close();
  }
  if (silent.length > 0) {
    const detail = `No final read could be had from ${silent.join(", ")}.`;
    return { name, verdict: "unknown", detail, counts };
  }
  const done = `${faults.applied} of ${request.schedule.length} faults took effect`;
  const detail = `Every server served ${duration(tookMs)} after the last fault was undone; ${done}.${metDefects(cluster.findings)}`;
  return { name, verdict: "holds", detail, ...vacuous, counts };
}

async function settle(world: World, settles: readonly (Settle | void)[]): Promise<void> {
  const some = settles.filter((each) => each !== undefined);
  if (some.length === 0) return;
  world.settle(settleMs);
  await Promise.all(some.map((each) => each()));
  world.settled();
}

/** The known defects that were met, each once, with an example. The history tells of every one. */
function metDefects(findings: readonly Finding[]): string {
  const issues = [...new Set(findings.map(({ issue }) => issue))];
  return issues
    .map((issue) => {
      const met = findings.filter((finding) => finding.issue === issue);
      const times = met.length === 1 ? "once" : `${met.length} times`;
      return ` The known defect ${issue} was met ${times}, first at ${met[0]!.server}: ${met[0]!.summary}`;
    })
    .join("");
}

/** Numbers that no worker and no replacement of one has: replacements count up by clients + 1 from below it. */
function finalProcess(clients: number, server: number): number {
  return (clients + 1) * 1_000_000 + server;
}

/** Logs are evidence, but a run is not lost for want of them. */
async function collect(cluster: Cluster, directory: RunDirectory): Promise<void> {
  const folder = directory.file("servers");
  try {
    mkdirSync(folder, { recursive: true });
    await cluster.collect(folder);
  } catch (error) {
    writeFileSync(`${folder}-missing.txt`, `${error instanceof Error ? error.message : String(error)}\n`);
  }
}

async function judge(
  request: RunRequest,
  directory: RunDirectory,
  progress: Progress,
  interruption: AbortSignal,
  { world, recovery }: Recorded,
): Promise<void> {
  directory.update({ status: "checking" });
  const verdicts: Verdict[] = [recovery];
  const { checks } = request.workload;
  progress.stage(`checking ${world.operations} operations`);
  for (const [i, check] of checks.entries()) {
    progress.update(i / checks.length, check.name);
    verdicts.push(...(await outcomeOf(check, world)));
  }
  directory.update({
    status: interruption.aborted ? "interrupted" : "complete",
    endedAt: new Date().toISOString(),
    outcome: worst(verdicts.map(({ verdict }) => verdict)),
    verdicts,
  });
  // After the verdicts: they must not be lost for want of evidence.
  const evidence = await runEvidence({
    events: world.recorder.events,
    schedule: request.schedule,
    verdicts,
    cluster: request.cluster.kind,
    logs: directory.file("servers"),
    zeroMs: request.cluster.kind === "embedded" ? world.startNs / 1e6 : world.startedAtMs,
  });
  directory.update({ evidence });
  if (request.report === false) return;
  progress.stage("writing the report");
  await renderRun(directory.path);
}

/** A checker that fails is no pass: its verdict is unknown, and says why. */
async function outcomeOf(
  check: PreparedWorkload["checks"][number],
  world: World,
): Promise<readonly Verdict[]> {
  try {
    const verdicts = await check.run(world.recorder.events);
    return "name" in verdicts ? [verdicts] : verdicts;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [{ name: check.name, verdict: "unknown", detail: `The checker failed: ${reason}` }];
  }
}

function manifestOf(request: RunRequest): Manifest {
  const { cluster, workload } = request;
  const { durationMs, clients, rate, sessionTimeoutMs } = request;
  return {
    format: "zabcheck-run",
    formatVersion: 1,
    zabcheck: version(),
    scenario: workload.name,
    seed: request.seed,
    cluster: {
      kind: cluster.kind,
      version: cluster.version,
      servers: cluster.servers,
      defect: request.defect,
    },
    parameters: {
      durationMs,
      clients,
      rate,
      sessionTimeoutMs,
      workload: workload.options as Json,
      ...request.parameters,
    },
    schedule: request.schedule as unknown as readonly Json[],
    host: {
      platform: os.platform(),
      release: os.release(),
      architecture: os.arch(),
      processors: os.availableParallelism(),
      memoryBytes: os.totalmem(),
      node: process.version,
    },
    startedAt: new Date().toISOString(),
    endedAt: null,
    status: "running",
    error: null,
    operations: 0,
    outcome: null,
    verdicts: [],
  };
}
