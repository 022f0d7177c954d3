import { describe, expect, test } from "vitest";
import { trial, trouble } from "./trial.for-tests.ts";

describe("double barrier", () => {
  test("is passed together under faults, and everybody comes through in the end", async () => {
    const { violated, outcome } = await trial("double-barrier", { faults: trouble });
    expect(violated).toEqual([]);
    for (const name of ["double-barrier", "progress"]) expect([name, outcome(name)]).toEqual([name, "holds"]);
  });

  test("that one enters, or leaves, as it comes is found", async () => {
    for (const mistake of ["enters-early", "leaves-early"]) {
      const { violated } = await trial("double-barrier", { option: { mistake }, time: 2000 });
      expect([mistake, violated]).toEqual([mistake, ["double-barrier"]]);
    }
  });

  test("whose participants do not ask to be told is never passed", async () => {
    const option = { mistake: "watches-nothing" };
    const { violated } = await trial("double-barrier", { option, time: 1000 });
    expect(violated).toEqual(["progress"]);
  });
});

describe("multi", () => {
  test("keeps the sum and every transfer under faults, and refuses forgeries", async () => {
    const { violated, outcome } = await trial("multi", { faults: trouble });
    expect(violated).toEqual([]);
    for (const name of ["audits", "forgeries", "final-balances", "multi"])
      expect([name, outcome(name)]).toEqual([name, "holds"]);
  });

  test("in two writes is seen half done", async () => {
    const { violated } = await trial("multi", { option: { mistake: "two-writes" }, time: 3000 });
    expect(violated).toContain("audits");
  });

  test("of servers that forget leaves the wrong balances", async () => {
    const flags = { defect: "commit-without-quorum", faults: "partition", time: 20_000, rate: 300 };
    const { violated } = await trial("multi", flags);
    expect(violated).toContain("final-balances");
  });
});

describe("sessions", () => {
  test("keep their ephemeral znodes wherever they move, and take them along in the end", async () => {
    const { violated, outcome } = await trial("sessions", { faults: trouble });
    expect(violated).toEqual([]);
    for (const name of [
      "own-ephemerals-stay",
      "ephemerals-go",
      "progress",
      "ephemerals",
      "watches",
      "session-end",
    ])
      expect([name, outcome(name)]).toEqual([name, "holds"]);
  });

  test("whose znodes are persistent leave them behind", async () => {
    const { violated } = await trial("sessions", { option: { mistake: "persistent" }, time: 2000 });
    expect(violated).toEqual(expect.arrayContaining(["ephemerals-go", "progress"]));
  });

  test("that a server takes up which lags behind do not find what they made", async () => {
    const flags = { defect: "session-from-the-future", faults: "partition", time: 20_000, rate: 1000 };
    const { violated } = await trial("sessions", { ...flags, option: { move: "30" } });
    expect(violated).toContain("own-ephemerals-stay");
  });
});
