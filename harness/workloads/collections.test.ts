import { describe, expect, test } from "vitest";
import { HistoryBuilder } from "../../model/index.ts";
import { setLinearizable } from "./black-box.ts";
import { trial, trouble } from "./trial.for-tests.ts";

/** Acknowledges what it loses. */
const forgetful = {
  defect: "commit-without-quorum",
  faults: "partition",
  time: 20_000,
  clients: 4,
  rate: 300,
};

describe("queue", () => {
  test("gives each element once and in order under faults, and loses none", async () => {
    const { violated, outcome } = await trial("queue", { faults: trouble });
    expect(violated).toEqual([]);
    for (const name of ["queue-elements", "queue-order", "queue-remains", "progress"])
      expect([name, outcome(name)]).toEqual([name, "holds"]);
  });

  test("moves elements in one multi, and deletes them once they are processed", async () => {
    for (const delivery of ["multi", "at-least-once"]) {
      const { violated, outcome } = await trial("queue", { option: { delivery }, time: 2000 });
      expect(violated).toEqual([]);
      expect(outcome("queue-order")).toBe("holds");
    }
  });

  test("whose clients do not look at what a deletion answers gives elements twice, and in any order", async () => {
    const { violated } = await trial("queue", { option: { mistake: "careless" }, time: 1000 });
    expect(violated).toEqual(["queue-elements", "queue-order"]);
  });

  test("whose servers forget what they acknowledged has lost elements in the end", async () => {
    const { violated } = await trial("queue", forgetful);
    expect(violated).toContain("queue-remains");
  });
});

describe("sequential ids", () => {
  const names = ["unique-ids", "increasing-ids"].flatMap((name) => [
    `${name}-by-names`,
    `${name}-by-versions`,
  ]);

  test("are unique and increase under faults", async () => {
    const { violated, outcome } = await trial("sequential-ids", { faults: trouble, time: 6000 });
    expect(violated).toEqual([]);
    for (const name of [...names, "progress"]) expect([name, outcome(name)]).toEqual([name, "holds"]);
  });

  test("of a counter that is read and then written are given twice", async () => {
    const { violated } = await trial("sequential-ids", {
      option: { mistake: "read-then-write" },
      rate: 1000,
      time: 2000,
    });
    expect(violated).toEqual(["unique-ids-by-versions", "increasing-ids-by-versions"]);
  });

  test("of servers that forget are given twice, too", async () => {
    const { violated } = await trial("sequential-ids", forgetful);
    expect(violated).toEqual(expect.arrayContaining(names));
  });
});

describe("set", () => {
  test("tells who changed it, under faults", async () => {
    const { violated, outcome } = await trial("set", { faults: trouble });
    expect(violated).toEqual([]);
    expect(outcome("set-by-search")).toBe("holds");
  });

  test("of servers that forget is found", async () => {
    const { violated } = await trial("set", forgetful);
    expect(violated).toContain("set-by-search");
  });

  test("is judged by what changes answered, and by each element of the final lists", async () => {
    const element = { path: "/s/1", data: "", mode: "persistent" };
    const read = { path: "/s", final: true };
    const judged = async (again: "ok" | "fail", children: readonly string[]): Promise<string> => {
      const builder = new HistoryBuilder()
        .invoke(0, "create", element)
        .ok(0, element, { zxid: 1 })
        .invoke(1, "create", element);
      if (again === "ok") builder.ok(1, element, { zxid: 2 });
      else builder.fail(1, element, { zxid: 2, error: "NodeExists" });
      builder.invoke(2, "sync+getChildren", read).ok(2, { ...read, children });
      const verdict = await setLinearizable("/s").run(builder.events);
      return "name" in verdict ? verdict.verdict : "several";
    };
    expect(await judged("fail", ["1"])).toBe("holds");
    expect(await judged("ok", ["1"])).toBe("violated");
    expect(await judged("fail", [])).toBe("violated");
  });
});

describe("append list", () => {
  test("grows in one order under faults, and has everything in the end", async () => {
    const { violated, outcome } = await trial("append-list", { faults: trouble, option: { length: "40" } });
    expect(violated).toEqual([]);
    expect([outcome("list-order"), outcome("list-nothing-lost")]).toEqual(["holds", "holds"]);
  });

  test("that is written whatever its version is loses elements, and is seen in several orders", async () => {
    const { violated } = await trial("append-list", { option: { mistake: "unversioned" }, time: 2000 });
    expect(violated).toEqual(["list-order", "list-nothing-lost"]);
  });
});
