import type { Coverage, CoverageCell, CoverageFigures, NightSummary } from "../../results/index.ts";
import { families } from "../faults/index.ts";
import { workloads } from "../workloads/index.ts";
import type { Job } from "./job.ts";
import type { JobResult } from "./journal.ts";

/** A run of the night, with what came of it. */
interface DoneRun {
  readonly job: Job;
  readonly result: JobResult;
}

/** What a night exercised, and what neither it nor an earlier one has. */
export function coverageOf(
  jobs: readonly Job[],
  results: ReadonlyMap<string, JobResult>,
  earlier: readonly NightSummary[],
): Coverage {
  const runs = jobs.flatMap((job): readonly DoneRun[] => {
    const result = results.get(job.id);
    return job.subject.kind === "run" && result !== undefined && result.status === "done"
      ? [{ job, result }]
      : [];
  });
  const cells = cellsOf(runs);
  const figures = figuresOf(runs);
  const planned = jobs.filter(({ subject }) => subject.kind === "run").map(plannedBy);
  const seen = [{ cells, figures }, ...earlier.map(({ coverage }) => coverage)];
  return { cells, figures, never: neverSeen(planned, seen), unplanned: unplanned(planned) };
}

interface Planned {
  readonly workload: string;
  readonly where: string;
  readonly faults: readonly string[];
}

function plannedBy({ subject }: Job): Planned {
  return { workload: subject.name, where: subject.where, faults: faultsOf(subject.faults) };
}

function faultsOf(list: string): readonly string[] {
  if (list === "all") return families.map(({ name }) => name);
  return list === "none" ? [] : list.split(",").map((name) => name.trim());
}

function cellsOf(runs: readonly DoneRun[]): readonly CoverageCell[] {
  const cells = new Map<string, { -readonly [K in keyof CoverageCell]: CoverageCell[K] }>();
  for (const { job, result } of runs) {
    const workload = job.subject.name;
    const faults = result.evidence?.faults ?? [];
    for (const fault of new Set(faults.map(({ family }) => family))) {
      const key = `${workload} ${fault}`;
      const cell = cells.get(key) ?? { workload, fault, runs: 0, applied: 0, effective: 0 };
      cells.set(key, cell);
      const applied = faults.filter(({ family, outcome }) => family === fault && outcome === "applied");
      cell.runs++;
      cell.applied += applied.length;
      cell.effective += applied.filter(({ effects }) => Object.keys(effects).length > 0).length;
    }
  }
  return [...cells.values()].toSorted(
    (a, b) => a.workload.localeCompare(b.workload) || a.fault.localeCompare(b.fault),
  );
}

function figuresOf(runs: readonly DoneRun[]): readonly CoverageFigures[] {
  const groups = new Map<string, DoneRun[]>();
  for (const run of runs) {
    const { name, where } = run.job.subject;
    const key = `${name} ${where}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()]
    .map(figuresOfGroup)
    .toSorted((a, b) => a.workload.localeCompare(b.workload) || a.where.localeCompare(b.where));
}

function figuresOfGroup(group: readonly DoneRun[]): CoverageFigures {
  const { name: workload, where } = group[0]!.job.subject;
  const evidence = group.flatMap(({ result }) => (result.evidence === null ? [] : [result.evidence]));
  const sum = (figure: (each: (typeof evidence)[number]) => number | null | undefined): number =>
    evidence.reduce((total, each) => total + (figure(each) ?? 0), 0);
  const most = (figure: "operationsInFlight" | "watchesPending"): number =>
    Math.max(0, ...evidence.flatMap(({ faults }) => faults.map((fault) => fault[figure])));
  const exercised = new Set(
    group.flatMap(({ result }) => [...result.held, ...result.failed.map(({ name }) => name)]),
  );
  const vacuous = new Set(group.flatMap(({ result }) => result.vacuous));
  return {
    workload,
    where,
    runs: group.length,
    operations: group.reduce((total, { result }) => total + result.operations, 0),
    elections: sum(({ elections }) => elections),
    deposedLeaders: sum(({ deposedLeaders }) => deposedLeaders),
    synchronizations: {
      DIFF: sum(({ synchronizations }) => synchronizations?.DIFF),
      TRUNC: sum(({ synchronizations }) => synchronizations?.TRUNC),
      SNAP: sum(({ synchronizations }) => synchronizations?.SNAP),
    },
    disconnections: sum(({ disconnections }) => disconnections),
    movedSessions: sum(({ movedSessions }) => movedSessions),
    expiredSessions: sum(({ expiredSessions }) => expiredSessions),
    unanswered: sum(({ unanswered }) => unanswered),
    staleReads: sum(({ staleReads }) => staleReads),
    operationsInFlight: most("operationsInFlight"),
    watchesPending: most("watchesPending"),
    exercised: [...exercised].toSorted(),
    vacuous: [...vacuous].filter((name) => !exercised.has(name)).toSorted(),
  };
}

/** What a kind of server must have been through at least once, in the words of the summary. */
const experiences: readonly {
  readonly words: string;
  readonly seen: (figures: CoverageFigures) => boolean;
}[] = [
  { words: "an election after the first", seen: ({ elections, runs }) => elections > runs },
  { words: "a deposed leader", seen: ({ deposedLeaders }) => deposedLeaders > 0 },
  { words: "a synchronization by DIFF", seen: ({ synchronizations }) => synchronizations.DIFF > 0 },
  { words: "a synchronization by TRUNC", seen: ({ synchronizations }) => synchronizations.TRUNC > 0 },
  { words: "a synchronization by SNAP", seen: ({ synchronizations }) => synchronizations.SNAP > 0 },
  { words: "a lost connection", seen: ({ disconnections }) => disconnections > 0 },
  { words: "a moved session", seen: ({ movedSessions }) => movedSessions > 0 },
  { words: "an unanswered operation", seen: ({ unanswered }) => unanswered > 0 },
  { words: "a stale read", seen: ({ staleReads }) => staleReads > 0 },
  { words: "a watch pending at a fault", seen: ({ watchesPending }) => watchesPending > 0 },
];

type Seen = Pick<Coverage, "cells" | "figures">;

/** By what the plan asks for: workloads with faults that had no effect yet, and servers that have not been through it all. */
function neverSeen(planned: readonly Planned[], seen: readonly Seen[]): readonly string[] {
  const cells = seen.flatMap((each) => each.cells);
  const figures = seen.flatMap((each) => each.figures);
  const pairs = unique(
    planned.flatMap(({ workload, faults }) => faults.map((fault) => ({ workload, fault }))),
    ({ workload, fault }) => `${workload} ${fault}`,
  );
  const met = (workload: string, fault: string): boolean =>
    cells.some((cell) => cell.workload === workload && cell.fault === fault && cell.effective > 0);
  const unmet = pairs.filter(({ workload, fault }) => !met(workload, fault));
  const places = [...new Set(planned.map(({ where }) => where))];
  return [
    ...byFault(unmet),
    ...places.flatMap((where) =>
      experiences
        .filter(({ seen: has }) => !figures.some((each) => each.where === where && has(each)))
        .map(({ words }) => `${where}: ${words}`),
    ),
    ...neverExercised(figures),
  ];
}

/** "kill with an effect: in register, lock". */
function byFault(pairs: readonly { readonly workload: string; readonly fault: string }[]): readonly string[] {
  const faults = [...new Set(pairs.map(({ fault }) => fault))];
  return faults.map((fault) => {
    const names = pairs.filter((pair) => pair.fault === fault).map(({ workload }) => workload);
    return `${fault} with an effect: in ${names.join(", ")}`;
  });
}

/** Properties that were judged, and that no workload has exercised anywhere. */
function neverExercised(figures: readonly CoverageFigures[]): readonly string[] {
  const exercised = new Set(figures.flatMap((each) => each.exercised));
  const idle = new Set(figures.flatMap(({ vacuous }) => vacuous));
  const names = [...idle].filter((name) => !exercised.has(name)).toSorted();
  return names.map((name) => `the property ${name}`);
}

function unplanned(planned: readonly Planned[]): readonly string[] {
  const usedWorkloads = new Set(planned.map(({ workload }) => workload));
  const usedFaults = new Set(planned.flatMap(({ faults }) => faults));
  if (planned.length === 0) return [];
  return [
    ...workloads.filter(({ name }) => !usedWorkloads.has(name)).map(({ name }) => `the workload ${name}`),
    ...families.filter(({ name }) => !usedFaults.has(name)).map(({ name }) => `the fault ${name}`),
  ];
}

function unique<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
