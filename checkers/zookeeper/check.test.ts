import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Verdict } from "../verdict.ts";
import { checkZookeeper } from "./check.ts";
import { type SimulatedDefect, simulatedHistory } from "./simulated-history.ts";

function brokenIn(verdicts: readonly Verdict[]): string[] {
  return verdicts.filter(({ verdict }) => verdict === "violated").map(({ name }) => name);
}

describe("checkZookeeper", () => {
  test("an ensemble that keeps its promises is never blamed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.integer({ min: 50, max: 1500 }), (seed, steps) => {
        const verdicts = checkZookeeper(simulatedHistory({ seed, steps, losses: 40, expiries: 10 }));
        const blamed = verdicts.filter(({ verdict }) => verdict !== "holds");
        expect(blamed.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  /** Which promise each defect of an ensemble breaks at least. */
  const defects: { readonly [defect in SimulatedDefect]: string } = {
    "lost-write": "reads-from-snapshot",
    "applied-twice": "writes-linearizable",
    "torn-multi": "multi",
    "session-from-the-future": "single-system-image",
    "stale-server-jumps-back": "session-order",
    "event-after-data": "watches",
    "event-twice": "watches",
    "event-lost": "watches",
    "missed-change-untold": "watches",
    "ephemeral-survives": "ephemerals",
    "session-lives-on": "session-end",
    "number-reused": "sequential-nodes",
    "wrong-data": "reads-from-snapshot",
    "zxid-not-in-real-time": "writes-linearizable",
    "diverged-server": "final-agreement",
  };

  test.each(Object.entries(defects))("%s breaks %s", (defect, promise) => {
    const found = new Set<string>();
    let times = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const options = { seed, steps: 600, losses: 40, expiries: 10, defect: defect as SimulatedDefect };
      const broken = brokenIn(checkZookeeper(simulatedHistory(options)));
      broken.forEach((name) => found.add(name));
      if (broken.includes(promise)) times++;
    }
    expect([...found]).toContain(promise);
    console.log(defect, promise, times, [...found].join(" "));
  });
});
