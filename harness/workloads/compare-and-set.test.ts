import { expect, test } from "vitest";
import { HistoryBuilder } from "../../model/index.ts";
import { casLinearizable } from "./black-box.ts";
import { trial, trouble } from "./trial.for-tests.ts";

const exchanged = { path: "/a", old: "initial", new: "1" };

async function judged(builder: HistoryBuilder): Promise<string> {
  const verdict = await casLinearizable("initial").run(builder.events);
  return "name" in verdict ? verdict.verdict : "several";
}

test("values are exchanged under faults, each against the one before", async () => {
  const { verdicts, violated, outcome, events } = await trial("compare-and-set", { faults: trouble });
  expect(violated).toEqual([]);
  expect(verdicts.filter(({ verdict }) => verdict === "unknown")).toEqual([]);
  expect(outcome("cas-by-search")).toBe("holds");
  expect(outcome("writes-by-search")).toBe("holds");
  const ended = events.filter(({ f, type }) => f === "cas" && type !== "invoke").map(({ type }) => type);
  for (const type of ["ok", "fail"]) expect(ended).toContain(type);
});

test("a leader that answers before a majority has logged is found by every check", async () => {
  const flags = { defect: "commit-without-quorum", faults: "partition", time: 20_000 };
  const { violated } = await trial("compare-and-set", flags);
  expect(violated).toContain("cas-by-search");
  expect(violated).toContain("writes-by-search");
  expect(violated).toContain("reads-from-snapshot");
});

test("two exchanges of one value, and a refusal of the right one, are found", async () => {
  const once = (): HistoryBuilder => new HistoryBuilder().invoke("client-0", "cas", exchanged).ok("client-0");
  expect(await judged(once())).toBe("holds");
  expect(await judged(once().invoke("client-1", "cas", exchanged).ok("client-1"))).toBe("violated");
  expect(await judged(once().invoke("client-1", "cas", exchanged).fail("client-1"))).toBe("holds");
  expect(await judged(new HistoryBuilder().invoke("client-0", "cas", exchanged).fail("client-0"))).toBe(
    "violated",
  );
});

test("an exchange that was not answered may have happened, and a final read tells", async () => {
  const read = { path: "/a", final: true };
  const history = (data: string): HistoryBuilder =>
    new HistoryBuilder()
      .invoke("client-0", "cas", exchanged)
      .info("client-0")
      .invoke(7, "sync+getData", read)
      .ok(7, { ...read, data });
  expect(await judged(history("1"))).toBe("holds");
  expect(await judged(history("initial"))).toBe("holds");
  expect(await judged(history("2"))).toBe("violated");
});
