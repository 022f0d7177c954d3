import { EmbeddedCluster, type Cluster } from "../../clusters/index.ts";
import { formatDuration } from "../command-line.ts";
import { families } from "../faults/index.ts";
import { workloads } from "../workloads/index.ts";
import type { WrittenPlan } from "./plan.ts";

/** The plans that come with zabcheck, made for the workloads and faults that there are. */
export const shippedPlans: {
  readonly [name: string]: (timeMs: number | undefined, parallel: number) => Promise<WrittenPlan>;
} = { embedded: embeddedPlan, docker: dockerPlan };

const embeddedRuns = 20;
/** Long enough that each of the kinds has its turn; the rate keeps the work small. */
const embedded = { time: "24s", rate: 500 };
/** Kinds of faults in one run. */
const kindsTogether = 3;

/**
 * Twenty runs of the embedded ensemble, together under a minute on two processors: every workload, every fault that
 * the ensemble knows, three kinds in a run, so that each kind meets several workloads.
 */
async function embeddedPlan(timeMs: number | undefined): Promise<WrittenPlan> {
  const cluster: Cluster = new EmbeddedCluster({ seed: 0 });
  const known: string[] = [];
  for (const { name, needs } of families) if ((await cluster.supports(needs)).supported) known.push(name);
  const runs = Array.from({ length: embeddedRuns }, (_, i) => ({
    workloads: [workloads[i % workloads.length]!.name],
    faults: [kindsOf(known, i).join(",")],
    seeds: 1,
    ...embedded,
  }));
  return { name: "embedded", ...budget(timeMs), keep: { days: 30, size: "4g" }, runs };
}

/** As many kinds in turn, beginning elsewhere in every run, and in another order each time around. */
function kindsOf(known: readonly string[], run: number): readonly string[] {
  const around = Math.floor((run * kindsTogether) / known.length);
  const first = run * kindsTogether + around;
  const count = Math.min(kindsTogether, known.length);
  return [...new Set(Array.from({ length: count }, (_, k) => known[(first + k) % known.length]!))];
}

const releases = ["3.9.5", "3.8.6", "3.6.4"];
const dockerTimeMs = 3_600_000;
const usualMs = 60_000;
const shortestMs = 15_000;
/** What a run takes besides. */
const overheadMs = 30_000;

/**
 * Three releases, every workload, every fault that works on the machine: as many rounds of them as fit into the time,
 * an hour by default. Where not even one fits the runs get shorter, then each workload meets one release only.
 */
async function dockerPlan(timeMs: number | undefined, parallel: number): Promise<WrittenPlan> {
  const totalMs = timeMs ?? dockerTimeMs;
  const availableMs = totalMs * parallel;
  const combinations = releases.length * workloads.length;
  const fitting = Math.floor(availableMs / (usualMs + overheadMs) / combinations);
  const common = { cluster: "docker", faults: ["all"], seeds: Math.max(1, Math.min(1000, fitting)) };
  const eachMs = Math.min(usualMs, Math.floor(availableMs / combinations - overheadMs));
  const runs =
    eachMs >= shortestMs
      ? [{ workloads: "all", releases, ...common, time: seconds(eachMs) }]
      : workloads.map(({ name }, i) => ({
          workloads: [name],
          releases: [releases[i % releases.length]!],
          ...common,
          time: seconds(Math.max(shortestMs, Math.min(usualMs, availableMs / workloads.length - overheadMs))),
        }));
  return { name: "docker", ...budget(totalMs), keep: { days: 30, size: "40g" }, runs };
}

function budget(timeMs: number | undefined): { readonly time?: string } {
  return timeMs === undefined ? {} : { time: formatDuration(timeMs) };
}

function seconds(ms: number): string {
  return `${Math.floor(ms / 1000)}s`;
}
