import { describeBounds, explore, worst, type Outcome, type Verdict } from "../checkers/index.ts";
import { zabModel } from "../model/index.ts";
import { exitWith, print, printJson } from "./command-line.ts";
import type { DemoFlags } from "./commands/demo.ts";
import type { RunFlags } from "./commands/run.ts";
import { withInterruption } from "./interruption.ts";
import { makeProgress, type Progress } from "./progress.ts";
import { run } from "./run.ts";
import { prepareRun } from "./run-command.ts";
import { allVerdictLines, verdictLines } from "./verdicts.ts";

/** One thing that the demonstration did, and whether it came out as it should. */
interface Part {
  readonly name: string;
  /** `holds` where it came out as expected: also a seeded defect that was found. */
  readonly verdict: Outcome;
  readonly checks: readonly Verdict[];
  readonly lines: readonly string[];
  readonly directory?: string;
}

/** Bounds in which the exploration takes a second or two on an idle machine. */
const bounds = { servers: 3, transactions: 1, timeouts: 1, restarts: 0 };

/** How long each run's workload goes on: virtual time costs little. */
const embeddedMs = 30_000;
const dockerMs = 12_000;

/** The defect that is seeded into the embedded ensemble, to see it caught. */
const defect = "commit-without-quorum";

/** `zabcheck demo`: explores a model, breaks an ensemble, checks every history. Throws what its parts throw. */
export async function demoCommand(flags: DemoFlags): Promise<void> {
  const start = performance.now();
  const progress = await makeProgress();
  const parts: Part[] = [];
  await withInterruption(async (interruption) => {
    for (const part of partsOf(flags, progress, interruption)) {
      if (interruption.aborted) break;
      const done = await part();
      progress.done();
      parts.push(done);
      if (flags.json !== true) for (const line of [`— ${done.name}`, ...done.lines, ""]) print(line);
    }
  }, progress.note);
  const verdict = worst(parts.map((part) => part.verdict));
  const seconds = (performance.now() - start) / 1000;
  if (flags.json === true) {
    const told = parts.map(({ name, verdict: each, directory }) => ({
      name,
      verdict: each,
      ...(directory === undefined ? {} : { directory }),
    }));
    printJson({ verdict, checks: parts.flatMap(({ checks }) => checks), parts: told, seconds });
  } else {
    print(
      `${verdict} in ${seconds.toFixed(0)} s: ${parts.length} parts, each ${verdict === "holds" ? "as expected" : "above"}`,
    );
    for (const { name, directory } of parts)
      if (directory !== undefined) print(`report of "${name}": ${directory}/report.html`);
  }
  exitWith(verdict);
}

function partsOf(
  flags: DemoFlags,
  progress: Progress,
  interruption: AbortSignal,
): readonly (() => Promise<Part>)[] {
  const ensemble = flags.cluster === "docker" ? "real servers" : "an embedded ensemble";
  return [
    () => exploration(progress),
    () => aRun(`registers on ${ensemble} under faults`, "register", flags, progress, interruption),
    () =>
      aRun(`a leader election on ${ensemble} under faults`, "leader-election", flags, progress, interruption),
    () => aDefect(flags, progress, interruption),
  ];
}

async function exploration(progress: Progress): Promise<Part> {
  progress.stage("exploring the model of ZAB");
  const result = await explore(zabModel, { parameters: bounds });
  const verdict = worst(result.verdicts.map((each) => each.verdict));
  const failed = result.verdicts.filter((each) => each.verdict !== "holds");
  return {
    name: "the model of ZAB (DSN 2011), explored in full",
    verdict,
    checks: result.verdicts,
    lines: [
      `${verdict}: ${result.verdicts.length} properties within ${describeBounds(result)}`,
      `          ${result.generated.toLocaleString("en")} states generated, ${result.distinct.toLocaleString("en")} distinct, depth ${result.depth}, ${result.seconds.toFixed(1)} s`,
      ...failed.flatMap(verdictLines),
    ],
  };
}

async function aRun(
  name: string,
  workload: string,
  flags: DemoFlags,
  progress: Progress,
  interruption: AbortSignal,
): Promise<Part> {
  const request = await prepareRun(workload, runFlags(flags), progress);
  const { manifest, directory } = await run(request, progress, interruption);
  const verdict = manifest.outcome ?? "unknown";
  const faults = manifest.schedule.length;
  return {
    name,
    verdict,
    checks: manifest.verdicts,
    lines: [
      `${verdict}: ${manifest.operations} operations on ${manifest.cluster.version}, ${manifest.cluster.servers.length} servers, ${faults} faults, seed ${manifest.seed}`,
      ...allVerdictLines(manifest.verdicts).map((line) => `  ${line}`),
    ],
    directory,
  };
}

/** The same with a defect in the ensemble: a checker that cannot fail would show here. */
async function aDefect(flags: DemoFlags, progress: Progress, interruption: AbortSignal): Promise<Part> {
  const request = await prepareRun(
    "register",
    {
      ...runFlags({ ...flags, cluster: "embedded" }),
      defect,
      // The fault, and a pace, under which it shows whatever the seed draws.
      faults: "partition",
      clients: 4,
      rate: 100,
    },
    progress,
  );
  const { manifest, directory } = await run(request, progress, interruption);
  const found = manifest.verdicts.filter(({ verdict }) => verdict === "violated");
  const [first] = found;
  return {
    name: `an embedded ensemble with a seeded defect: ${defect}`,
    verdict: first === undefined ? "violated" : "holds",
    checks: [],
    lines:
      first === undefined
        ? [`the defect was not found in ${manifest.operations} operations`]
        : [
            `found, as it should be, by ${found.map(({ name }) => name).join(", ")}:`,
            ...verdictLines(first).map((line) => `  ${line}`),
          ],
    directory,
  };
}

function runFlags({ cluster, servers, image, release, publish, seed, results }: DemoFlags): RunFlags {
  return {
    cluster,
    servers,
    // What every ensemble can do without preparation.
    faults: "partition,kill,pause",
    time: cluster === "docker" ? dockerMs : embeddedMs,
    seed,
    clients: 5,
    rate: 1000,
    sessionTimeout: 2000,
    option: {},
    results,
    ...(cluster !== "docker" || image === undefined ? {} : { image }),
    ...(cluster !== "docker" || release === undefined ? {} : { release }),
    ...(cluster !== "docker" || publish === undefined ? {} : { publish }),
  };
}
