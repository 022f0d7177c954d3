import { describe, expect, test } from "vitest";
import { trial, trouble } from "./trial.for-tests.ts";

const busy = { keys: "1", holdMs: "1", restMs: "0", crash: "0" };

describe("lock", () => {
  test("is taken in turn under faults, and everybody gets it in the end", async () => {
    const { violated, outcome } = await trial("lock", { faults: trouble });
    expect(violated).toEqual([]);
    for (const name of ["mutual-exclusion", "guard-writers", "no-herd", "progress"])
      expect([name, outcome(name)]).toEqual([name, "holds"]);
  });

  test("that is released by whoever gave up is held by two, which also what it guards shows", async () => {
    const option = { mistake: "fixed-path-never-held" };
    const { violated } = await trial("lock", { option, clients: 10, seed: 2 });
    expect(violated).toEqual(expect.arrayContaining(["mutual-exclusion", "guard-writers"]));
  });

  test("whose clients all watch all before them wakes a herd", async () => {
    const { violated } = await trial("lock", { option: { mistake: "watch-all" }, time: 2000 });
    expect(violated).toEqual(["no-herd"]);
  });

  test("whose clients wait for one that went before it could be watched stands still", async () => {
    const option = { ...busy, mistake: "lost-wake-up" };
    const { violated } = await trial("lock", { option, rate: 0, clients: 2 });
    expect(violated).toEqual(["progress"]);
  });
});

describe("read/write lock", () => {
  test("is shared by readers and taken in turn by writers under faults", async () => {
    const { violated, outcome } = await trial("read-write-lock", { faults: trouble });
    expect(violated).toEqual([]);
    for (const name of ["mutual-exclusion", "guard-writers", "guard-readers", "no-herd", "progress"])
      expect([name, outcome(name)]).toEqual([name, "holds"]);
  });

  test("whose writers ignore readers is found by possession, and by what readers see change", async () => {
    const option = { mistake: "writers-ignore-readers" };
    const { violated } = await trial("read-write-lock", { option, time: 3000 });
    expect(violated).toEqual(["mutual-exclusion", "guard-readers"]);
  });

  test("whose readers watch each other wakes a herd", async () => {
    const option = { mistake: "readers-watch-all" };
    const { violated } = await trial("read-write-lock", { option, time: 3000, clients: 10 });
    expect(violated).toEqual(["no-herd"]);
  });
});

test("a mistake that there is not is refused with those that there are", async () => {
  await expect(trial("lock", { option: { mistake: "none" } })).rejects.toThrow(/watch-all, lost-wake-up/);
});
