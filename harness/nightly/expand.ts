import { formatDuration } from "../command-line.ts";
import type { RunFlags } from "../commands/run.ts";
import { Random } from "../random.ts";
import { rateOf, wordsOfRun } from "../run-words.ts";
import type { Job } from "./job.ts";
import {
  namesOf,
  texts,
  wordsOfOptions,
  type Plan,
  type PlannedExploration,
  type RunMatrix,
} from "./plan.ts";

const mebibyte = 2 ** 20;

/** Of one server in its container. */
const serverBytes = 512 * mebibyte;
/** Measured: 0.3 GiB, and 5 KiB an operation of the history. The limit leaves room for checkers. */
const processBytesMin = 1024 * mebibyte;
const operationBytes = 12 * 1024;

/** From nothing to a quorum, and from the last operation to the report. */
const dockerOverheadMs = 30_000;
/** Virtual time passes about three times as fast as the wall's at the usual rate, and checking takes as long again. */
const embeddedShare = 0.6;
const embeddedOverheadMs = 3000;

/**
 * The jobs of a plan, in the order in which they are done: every combination with its first seed before any with its
 * second, so that a night that is short of time has seen a little of everything. Where the plan asks for new seeds
 * they are drawn from the night's.
 */
export function jobsOf(plan: Plan, nightSeed: number): readonly Job[] {
  const rounds = plan.runs.flatMap((matrix, i) =>
    seedsOf(matrix, nightSeed, i).map((seed, round) => ({ round, jobs: runsOf(matrix, seed) })),
  );
  const runs = rounds.toSorted((a, b) => a.round - b.round).flatMap(({ jobs }) => jobs);
  return withUniqueIds([...plan.explorations.map(explorationJob), ...runs]);
}

function seedsOf({ seeds }: RunMatrix, nightSeed: number, position: number): readonly number[] {
  if (typeof seeds !== "number") return seeds;
  const random = new Random(nightSeed, `nightly/${position}`);
  return Array.from({ length: seeds }, () => random.below(2 ** 31));
}

function runsOf(matrix: RunMatrix, seed: number): readonly Job[] {
  return (matrix.releases ?? [undefined]).flatMap((release) =>
    namesOf(matrix.workloads).flatMap((workload) =>
      matrix.faults.map((faults) => runJob(matrix, workload, release, faults, seed)),
    ),
  );
}

function runJob(
  matrix: RunMatrix,
  workload: string,
  release: string | undefined,
  faults: string,
  seed: number,
): Job {
  const { cluster, servers, observers, clients, time, sessionTimeout, rate, image, defect } = matrix;
  const isDocker = cluster === "docker";
  const flags: RunFlags = {
    ...{
      cluster,
      servers,
      faults,
      time,
      clients,
      sessionTimeout,
      option: texts(matrix.options),
      results: "",
    },
    ...(rate === undefined ? {} : { rate }),
    ...(release === undefined ? {} : { release }),
    ...(image === undefined ? {} : { image }),
    ...(defect === undefined ? {} : { defect }),
  };
  const operations = (rateOf({ cluster, ...(rate === undefined ? {} : { rate }) }) * time) / 1000;
  const processBytes = Math.max(processBytesMin, processBytesMin / 2 + operations * operationBytes);
  const where = isDocker ? whereOf(release, image) : "embedded";
  const expectedMs = isDocker ? time + dockerOverheadMs : embeddedShare * time + embeddedOverheadMs;
  return {
    id: [
      workload,
      where.replace(/^zookeeper /, ""),
      ...(servers === 3 && observers === 0 ? [] : [`${servers}+${observers}`]),
      ...(defect === undefined ? [] : [defect]),
      faults.replaceAll(",", "+"),
      String(seed),
    ]
      .map((part) => part.replaceAll(/[^\w.+-]+/g, "-"))
      .join("-"),
    subject: { kind: "run", name: workload, where: whereWith(where, defect), faults, seed },
    words: [
      ...wordsOfRun(workload, flags, seed),
      ...(observers === 0 ? [] : ["--observers", String(observers)]),
    ],
    expectedMs,
    limitMs: matrix.limit ?? 300_000 + 2 * expectedMs,
    graceMs: isDocker ? 90_000 : 30_000,
    memoryBytes: processBytes + (isDocker ? (servers + observers) * serverBytes : 0),
    processBytes,
    processors: isDocker ? 2 : 1,
    usesDocker: isDocker,
  };
}

function whereOf(release: string | undefined, image: string | undefined): string {
  return `zookeeper ${image ?? release ?? "of the default release"}`;
}

function whereWith(where: string, defect: string | undefined): string {
  return defect === undefined ? where : `${where} with ${defect}`;
}

function explorationJob({ model, options, time, memory, limit }: PlannedExploration): Job {
  const words = wordsOfOptions(options);
  const name = model.replaceAll(/[^\w.+-]+/g, "-").replace(/^[-.]+/, "");
  const { variant, workers } = options;
  return {
    id: ["explore", name, ...words.map((word) => word.replace(/^--/, ""))]
      .join("-")
      .replaceAll(/[^\w.+-]+/g, "-"),
    subject: {
      kind: "exploration",
      name: typeof variant === "string" ? `${model} (${variant})` : model,
      where: "model",
      faults: "",
      seed: null,
    },
    words: ["explore", model, ...words, "--time", formatDuration(time), "--memory", sizeWord(memory)],
    expectedMs: time,
    limitMs: limit ?? 2 * time + 120_000,
    graceMs: 30_000,
    memoryBytes: memory + 256 * mebibyte,
    processBytes: 2 * memory + 512 * mebibyte,
    processors: typeof workers === "number" ? workers : 1,
    usesDocker: false,
  };
}

/** As `--memory` reads it. */
function sizeWord(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / mebibyte))}m`;
}

/** Two that differ in what their names do not tell are numbered. */
function withUniqueIds(jobs: readonly Job[]): readonly Job[] {
  const seen = new Map<string, number>();
  return jobs.map((job) => {
    const count = (seen.get(job.id) ?? 0) + 1;
    seen.set(job.id, count);
    return count === 1 ? job : { ...job, id: `${job.id}~${count}` };
  });
}
