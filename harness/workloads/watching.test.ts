import { describe, expect, test } from "vitest";
import { trial, trouble } from "./trial.for-tests.ts";

describe("membership", () => {
  test("lists show who is there in the end, whatever happened to sessions", async () => {
    const { violated, outcome } = await trial("membership", { faults: trouble });
    expect(violated).toEqual([]);
    for (const name of ["membership", "final-members", "progress"])
      expect([name, outcome(name)]).toEqual([name, "holds"]);
  });

  test("members that are persistent znodes stay on the list when they are gone", async () => {
    const option = { mistake: "persistent-members", crash: "0.2" };
    const { violated } = await trial("membership", { option, time: 3000 });
    expect(violated).toEqual(["final-members"]);
  });

  test("a consumer that watches after it has read never learns of some change", async () => {
    const option = { mistake: "watch-after-read", crash: "0", stayMs: "0", awayMs: "0", consumers: "6" };
    const { violated } = await trial("membership", { option, rate: 0, time: 1000, clients: 18 });
    expect(violated).toContain("progress");
  });
});

describe("configuration", () => {
  test("everybody has the last one in the end, whatever happened to sessions", async () => {
    const { violated, outcome } = await trial("configuration", { faults: trouble });
    expect(violated).toEqual([]);
    for (const name of ["configuration-order", "configuration-last", "progress"])
      expect([name, outcome(name)]).toEqual([name, "holds"]);
  });

  test("a reader that watches after it has read misses an update for ever", async () => {
    const option = { mistake: "watch-after-read", restMs: "0" };
    const { violated } = await trial("configuration", { option, rate: 0, time: 1000, clients: 20 });
    expect(violated).toContain("progress");
  });

  test("a reader that forgets that its watch went with its session misses all that follows", async () => {
    const option = { mistake: "watch-lost-with-session" };
    const { violated } = await trial("configuration", { option, faults: trouble, time: 20_000, rate: 100 });
    expect(violated).toContain("progress");
  });
});
