import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { workloads } from "./index.ts";
import { workloadSummaries } from "./names.ts";

test("the table has every workload under its name, each with checks and with options that have defaults", () => {
  expect(workloads.map(({ name, summary }) => [name, summary])).toEqual(Object.entries(workloadSummaries));
  for (const workload of workloads) {
    const prepared = workload.prepare({});
    expect(prepared.name).toBe(workload.name);
    expect(prepared.checks.map(({ name }) => name)).toContain("zookeeper");
    expect(prepared.checks.length).toBeGreaterThan(1);
    expect(() => workload.prepare({ nonsense: "1" })).toThrow(/its options are|nonsense/);
  }
});

test("the README lists every workload", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const listed = [...readme.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, name]) => name);
  expect(listed).toEqual(expect.arrayContaining(Object.keys(workloadSummaries)));
});
