import { expect, test } from "vitest";
import {
  nightSummarySchema,
  type FaultEvidence,
  type NightSummary,
  type RunEvidence,
} from "../../results/index.ts";
import { job as jobNamed } from "./for-tests.ts";
import type { Job } from "./job.ts";
import { notRun } from "./job-result.ts";
import type { JobResult } from "./journal.ts";
import type { Night } from "./night.ts";
import { summarize } from "./summarize.ts";

const fault: FaultEvidence = {
  ...{ id: 0, family: "kill", label: "kill leader", outcome: "applied" },
  ...{ operationsInFlight: 3, watchesPending: 2, effects: { disconnections: 4 } },
};

const evidence: RunEvidence = {
  ...{ elections: 2, deposedLeaders: 1, synchronizations: { DIFF: 3, TRUNC: 1, SNAP: 0 } },
  ...{ disconnections: 4, movedSessions: 3, expiredSessions: 0, unanswered: 1, staleReads: 5 },
  ...{ staleSyncedReads: null, faults: [fault] },
};

function job(id: string, workload = "register", where = "embedded", faults = "kill"): Job {
  return { ...jobNamed(id, []), subject: { kind: "run", name: workload, where, faults, seed: 7 } };
}

function done(change: Partial<JobResult> = {}): JobResult {
  return {
    ...notRun(job("x"), ""),
    ...{ status: "done", verdict: "holds", held: ["order"], operations: 10, evidence },
    ...change,
  };
}

const broken = (name: string): Partial<JobResult> => ({
  verdict: "violated",
  failed: [{ name, verdict: "violated", summary: `${name} ran back` }],
  held: [],
});

let nights = 0;
function night(
  results: readonly (readonly [Job, JobResult])[],
  earlier: readonly NightSummary[] = [],
): NightSummary {
  const startedAt = new Date(Date.UTC(2026, 0, 1 + nights++)).toISOString();
  const of: Night = {
    ...{ directory: "/night", name: "test", written: {}, seed: 1, startedAt, zabcheck: "0" },
    plan: { attempts: 3, keep: {}, runs: [], explorations: [] },
    jobs: results.map(([each]) => each),
  };
  const outcome = {
    ending: "finished" as const,
    results: new Map(results.map(([each, result]) => [each.id, result])),
    starts: new Map(results.map(([each]) => [each.id, 1])),
  };
  const summary = summarize(of, outcome, earlier, "plan.json");
  expect(nightSummarySchema.safeParse(summary).error).toBeUndefined();
  return summary;
}

test("failures are one group where the same property broke at the same place, under whatever seeds and faults", () => {
  const { failures, verdict } = night([
    [job("a"), done(broken("order"))],
    [job("b", "register", "embedded", "pause"), done(broken("order"))],
    [job("c", "register", "zookeeper 3.9.5"), done(broken("order"))],
    [job("d"), done(broken("watches"))],
    [job("e"), done()],
  ]);
  expect(failures.map(({ property, where, jobs }) => [property, where, jobs.map(({ id }) => id)])).toEqual([
    ["order", "register on embedded", ["a", "b"]],
    ["order", "register on zookeeper 3.9.5", ["c"]],
    ["watches", "register on embedded", ["d"]],
  ]);
  expect(verdict).toBe("violated");
});

test("a failure is new in the first night, known in the next, with the night since when, and gone when it is not found again", () => {
  const first = night([[job("a"), done(broken("order"))]]);
  expect(first.failures[0]).toMatchObject({ isNew: true, since: first.startedAt });
  expect([first.comparedWith, first.gone]).toEqual([null, []]);
  const second = night(
    [
      [job("a"), done(broken("order"))],
      [job("b"), done(broken("watches"))],
    ],
    [first],
  );
  expect(second.failures.map(({ property, isNew, since }) => [property, isNew, since])).toEqual([
    ["watches", true, second.startedAt],
    ["order", false, first.startedAt],
  ]);
  const third = night([[job("a"), done(broken("order"))]], [first, second]);
  expect(third.failures[0]).toMatchObject({ property: "order", isNew: false, since: first.startedAt });
  expect(third.gone.map(({ property, since }) => [property, since])).toEqual([["watches", second.startedAt]]);
  const fourth = night([[job("a"), done()]], [first, second, third]);
  expect([fourth.failures, fourth.gone.length, fourth.verdict]).toEqual([[], 1, "holds"]);
});

test("a failure is not gone where nobody has looked for it", () => {
  const first = night([[job("a"), done(broken("order"))]]);
  expect(night([[job("a", "leader-election"), done()]], [first]).gone).toEqual([]);
  expect(night([[job("a"), notRun(job("a"), "no time")]], [first]).gone).toEqual([]);
  expect(night([[job("a"), done()]], [first]).gone).toHaveLength(1);
});

test("what did not come to its verdicts is unknown, grouped by how it ended, after what is violated", () => {
  const hung: JobResult = { ...notRun(job("h"), "it did not end within 5 s"), status: "hung" };
  const { failures, verdict } = night([
    [job("h"), hung],
    [job("i"), hung],
    [job("n"), notRun(job("n"), "there was no time left for it")],
    [
      job("u"),
      done({ verdict: "unknown", failed: [{ name: "order", verdict: "unknown", summary: "no time" }] }),
    ],
  ]);
  expect(verdict).toBe("unknown");
  expect(failures.map(({ property, jobs }) => [property, jobs.length])).toEqual([
    ["hung", 2],
    ["not run", 1],
    ["order", 1],
  ]);
  const mixed = night([
    [job("h"), hung],
    [job("b"), done(broken("order"))],
  ]);
  expect(mixed.failures.map(({ verdict: each }) => each)).toEqual(["violated", "unknown"]);
});

test("what runs exercised is summed up by workload and fault, and by workload and server", () => {
  const idle = { ...fault, effects: {} };
  const skipped = { ...fault, outcome: "skipped" as const, effects: {} };
  const { coverage } = night([
    [job("a"), done()],
    [job("b"), done({ evidence: { ...evidence, faults: [fault, idle, skipped] } })],
    [
      job("c", "leader-election"),
      done({ evidence: { ...evidence, elections: null, synchronizations: null } }),
    ],
    [job("d"), notRun(job("d"), "no time")],
  ]);
  expect(coverage.cells).toEqual([
    { workload: "leader-election", fault: "kill", runs: 1, applied: 1, effective: 1 },
    { workload: "register", fault: "kill", runs: 2, applied: 3, effective: 2 },
  ]);
  expect(coverage.figures.find(({ workload }) => workload === "register")).toMatchObject({
    ...{ runs: 2, operations: 20, elections: 4, deposedLeaders: 2, staleReads: 10 },
    ...{ synchronizations: { DIFF: 6, TRUNC: 2, SNAP: 0 }, operationsInFlight: 3, watchesPending: 2 },
  });
  expect(coverage.figures.find(({ workload }) => workload === "leader-election")?.elections).toBe(0);
});

test("what neither this night nor an earlier one has exercised is named, and nothing else", () => {
  const lazy = { ...evidence, elections: 1, deposedLeaders: 0, faults: [{ ...fault, effects: {} }] };
  const vacuous = { vacuous: ["multi"], held: ["order"] };
  const first = night([
    [job("a", "register", "embedded", "kill,pause"), done({ evidence: lazy, ...vacuous })],
  ]);
  expect(first.coverage.never).toEqual([
    "kill with an effect: in register",
    "pause with an effect: in register",
    "embedded: an election after the first",
    "embedded: a deposed leader",
    "embedded: a synchronization by SNAP",
    "the property multi",
  ]);
  const second = night([[job("a", "register", "embedded", "kill,pause"), done(vacuous)]], [first]);
  expect(second.coverage.never).toEqual([
    "pause with an effect: in register",
    "embedded: a synchronization by SNAP",
    "the property multi",
  ]);
  // What an earlier night has seen need not be seen again.
  const third = night(
    [[job("a", "register", "embedded", "kill,pause"), done({ evidence: lazy, held: ["order", "multi"] })]],
    [first, second],
  );
  expect(third.coverage.never).toEqual([
    "pause with an effect: in register",
    "embedded: a synchronization by SNAP",
  ]);
});

test("workloads and faults that the plan leaves out are named", () => {
  const { unplanned } = night([[job("a"), done()]]).coverage;
  expect(unplanned).toContain("the workload leader-election");
  expect(unplanned).toContain("the fault pause");
  expect(unplanned).not.toContain("the fault kill");
});
