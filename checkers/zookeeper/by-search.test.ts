import { describe, expect, test } from "vitest";
import type { Event } from "../../model/index.ts";
import { checkWritesBySearch } from "./by-search.ts";
import { simulatedHistory, type SimulatedDefect } from "./simulated-history.ts";

/** The same history without anything that zxids tell. */
function withoutZxids(events: readonly Event[]): Event[] {
  return events.map((event) => {
    const { zxid, ...others } = event;
    return zxid === undefined ? event : others;
  });
}

function outcome(seed: number, defect?: SimulatedDefect): string {
  const options = { seed: seed * 7919, steps: 500, losses: 20, expiries: 2, registersOnly: true };
  const history = simulatedHistory(defect === undefined ? options : { ...options, defect });
  return checkWritesBySearch(withoutZxids(history)).verdict;
}

describe("checkWritesBySearch", () => {
  test("accepts the writes of an ensemble that keeps its promises", () => {
    for (let seed = 1; seed <= 20; seed++) expect(outcome(seed)).toBe("holds");
  });

  test.each(["lost-write", "applied-twice"] as const)("%s is found without zxids", (defect) => {
    const found = Array.from({ length: 20 }, (_, seed) => outcome(seed + 1, defect));
    expect(found.filter((verdict) => verdict === "violated").length).toBeGreaterThanOrEqual(10);
  });

  test("is vacuous without writes, and where every znode is touched by a multi", () => {
    expect(checkWritesBySearch([]).vacuous).toBe(true);
  });
});
