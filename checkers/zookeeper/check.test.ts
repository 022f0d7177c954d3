import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Verdict } from "../verdict.ts";
import type { Event } from "../../model/index.ts";
import { checkZookeeper } from "./check.ts";
import { type SimulatedDefect, simulatedHistory } from "./simulated-history.ts";

function brokenIn(verdicts: readonly Verdict[]): string[] {
  return verdicts.filter(({ verdict }) => verdict === "violated").map(({ name }) => name);
}

const mixed = ["3.8.6", "3.9.5", "3.9.5"];

describe("checkZookeeper", () => {
  test("an ensemble that keeps its promises is never blamed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.integer({ min: 50, max: 800 }), (seed, steps) => {
        const verdicts = checkZookeeper(simulatedHistory({ seed, steps, losses: 40, expiries: 10 }));
        const blamed = verdicts.filter(({ verdict }) => verdict !== "holds");
        expect(blamed.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([]);
      }),
      { numRuns: 100, seed: 7 },
    );
  });

  test("ensembles of older and of mixed releases, with watches of all modes, are never blamed", () => {
    const releases = fc.constantFrom(["3.9.5"], ["3.8.6"], ["3.8.6", "3.9.5", "3.9.5"]);
    fc.assert(
      fc.property(fc.integer({ min: 1 }), releases, fc.integer({ min: 50, max: 600 }), (seed, of, steps) => {
        const options = { seed, steps, losses: 40, expiries: 10, releases: of, lastingWatches: true };
        const watches = checkZookeeper(simulatedHistory(options)).find(({ name }) => name === "watches");
        expect([watches?.verdict, watches?.detail]).toEqual(["holds", watches?.detail]);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ["a multi behind another unanswered write of what it writes", 9486975, 498, ["3.8.6"]],
    ["the same, on servers of two releases", 10183847, 586, ["3.8.6", "3.9.5", "3.9.5"]],
    ["a session that takes along what an unanswered write had created", 56969299, 494, ["3.9.5"]],
    ["the same, on another path", 28365871, 632, ["3.9.5"]],
    ["a watch on what a session took along, unless it had been deleted before", 27700675, 548, ["3.9.5"]],
    ["the same of its parent", 367536391, 507, ["3.9.5"]],
    ["two unanswered writes, of which one must have been the earlier", 63945938, 625, mixed],
    ["a create that was counted before it was found out about", 98456940, 483, ["3.8.6"]],
    ["a session's end of which the first node is not known to be its own", 306528665, 508, mixed],
    ["a create that is not the one change of the children that is known", 69307101, 552, ["3.8.6"]],
  ] as const)("nobody is blamed: %s", (_, seed, steps, releases) => {
    for (const lastingWatches of [true, false]) {
      const options = { seed, steps, losses: 40, expiries: 10, releases, lastingWatches };
      expect(brokenIn(checkZookeeper(simulatedHistory(options)))).toEqual([]);
    }
  });

  test("nobody is blamed: a session's end of which only the node that was told last is known to be its own", () => {
    const create = (
      process: number,
      session: string,
      path: string,
      mode: string,
      zxid?: number,
    ): object[] => {
      const common = { process, f: "create", value: { path, data: "", mode }, session, server: "server-1" };
      const end = zxid === undefined ? { type: "info", error: "connection lost" } : { type: "ok", zxid };
      return [
        { ...common, type: "invoke" },
        { ...common, ...end },
      ];
    };
    const gone = (path: string): object => ({
      process: "watches",
      type: "info",
      f: "NodeDeleted",
      value: { path, session: "0xc", process: 3, watchZxid: 6 },
      zxid: 6,
      session: "0xc",
    });
    const drafts = [
      ...create(3, "0xc", "/d", "persistent", 1),
      // It goes at zxid 4 with its session, and comes again at 5 by the write that is not answered.
      ...create(2, "0xb", "/d/n", "ephemeral", 2),
      ...create(1, "0xa", "/d/x", "ephemeral", 3),
      ...create(1, "0xa", "/d/n", "ephemeral"),
      gone("/d/n"),
      gone("/d/x"),
    ];
    const events = drafts.map((draft, index) => ({ ...draft, index, time: index }) as Event);
    const reads = checkZookeeper(events).find(({ name }) => name === "reads-from-snapshot");
    expect([reads?.verdict, reads?.detail]).toEqual(["holds", reads?.detail]);
  });

  /** Which promise each defect of an ensemble breaks, and in how many of 10 runs it must be found. */
  const defects: { readonly [defect in SimulatedDefect]: readonly [promise: string, times: number] } = {
    "lost-write": ["reads-from-snapshot", 8],
    "applied-twice": ["writes-linearizable", 6],
    "torn-multi": ["multi", 8],
    "session-from-the-future": ["single-system-image", 9],
    "stale-server-jumps-back": ["session-order", 9],
    "event-after-data": ["watches", 8],
    "event-twice": ["watches", 9],
    "event-lost": ["watches", 9],
    "missed-change-untold": ["watches", 1],
    "ephemeral-survives": ["ephemerals", 9],
    "session-lives-on": ["session-end", 8],
    "number-reused": ["sequential-nodes", 8],
    "wrong-data": ["reads-from-snapshot", 10],
    "zxid-not-in-real-time": ["writes-linearizable", 10],
    "diverged-server": ["final-agreement", 10],
  };

  test.each(Object.entries(defects))("%s is found", (defect, [promise, times]) => {
    let found = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const options = {
        seed: seed * 7919,
        steps: 1500,
        losses: 20,
        expiries: 10,
        defect: defect as SimulatedDefect,
      };
      if (brokenIn(checkZookeeper(simulatedHistory(options))).includes(promise)) found++;
    }
    expect(found).toBeGreaterThanOrEqual(times);
  });

  test("an empty history is vacuous throughout, and no pass without cases is hidden", () => {
    for (const verdict of checkZookeeper([]))
      expect([verdict.name, verdict.vacuous]).toEqual([verdict.name, true]);
  });

  test("every promise is exercised by the simulated histories", () => {
    const options = { seed: 5, steps: 3000, losses: 30, expiries: 10 };
    for (const verdict of checkZookeeper(simulatedHistory(options))) {
      expect([verdict.name, verdict.vacuous ?? false]).toEqual([verdict.name, false]);
    }
  });
});
