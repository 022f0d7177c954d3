import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Manifest } from "../../results/index.ts";
import { manifest } from "./for-tests.ts";
import { retain } from "./retention.ts";

let results = "";
beforeEach(() => (results = mkdtempSync(join(tmpdir(), "zabcheck-retention-"))));
afterEach(() => rmSync(results, { recursive: true, force: true }));

const now = Date.UTC(2026, 5, 1);
const day = 86_400_000;

/** A run of a night so many days ago, with so many bytes of history. */
function keep(name: string, daysAgo: number, change: Partial<Manifest> = {}, bytes = 1000): string {
  const startedAt = new Date(now - daysAgo * day).toISOString();
  const stamp = startedAt.replace(/\.\d+Z$/, "Z").replaceAll(/[-:]/g, "");
  const night = join(results, "nightly-test", `${stamp}-1`);
  const run = join(night, "runs", name, "register", `${stamp}-7`);
  mkdirSync(run, { recursive: true });
  mkdirSync(join(night, "logs"), { recursive: true });
  writeFileSync(join(run, "manifest.json"), JSON.stringify(manifest({ startedAt, ...change })));
  writeFileSync(join(run, "history.jsonl"), "x".repeat(bytes));
  for (const file of ["summary.json", "journal.jsonl", join("logs", `${name}.log`)])
    writeFileSync(join(night, file), "");
  return run;
}

const violated: Partial<Manifest> = { outcome: "violated" };
const failing: readonly (readonly [string, Partial<Manifest>])[] = [
  ["a violated run", violated],
  ["an unknown run", { outcome: "unknown" }],
  ["a run that was cut off", { status: "running", outcome: null }],
  ["a run that failed", { status: "failed", outcome: null }],
  ["a run that was ended early", { status: "interrupted" }],
  ["a replay", { parameters: { replayOf: "elsewhere" } }],
  ["a run that was shrunk", { parameters: { shrunkFrom: "elsewhere" } }],
];

for (const [name, change] of failing) {
  test(`${name} stays, however old it is and however little may be kept`, () => {
    const run = keep("job", 1000, change);
    expect(retain(results, "test", { days: 1, size: 1 }, now).runs).toBe(0);
    expect(existsSync(run)).toBe(true);
  });
}

test("runs that hold go when they are too old, and what their nights came to stays", () => {
  const [old, young] = [keep("old", 31), keep("young", 29)];
  expect(retain(results, "test", { days: 30 }, now)).toMatchObject({ runs: 1 });
  expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
  const night = join(old, "..", "..", "..", "..");
  for (const file of ["summary.json", "journal.jsonl", join("logs", "old.log")])
    expect(existsSync(join(night, file))).toBe(true);
});

test("the oldest of the runs that hold go until the rest is small enough; those that failed do not count", () => {
  const bad = keep("bad", 9, violated, 1_000_000);
  const runs = [3, 2, 1].map((days) => keep(`run-${days}`, days, {}, 10_000));
  const { runs: removed, bytes } = retain(results, "test", { size: 25_000 }, now);
  expect([removed, bytes > 10_000]).toEqual([1, true]);
  expect([bad, ...runs].map((run) => existsSync(run))).toEqual([true, false, true, true]);
});

test("other plans, runs of no plan and jobs at work are left alone", () => {
  const run = keep("job", 100);
  expect(retain(results, "other", { days: 1, size: 0 }, now).runs).toBe(0);
  expect(retain(results, "test", { days: 1, size: 0 }, now, () => true).runs).toBe(0);
  expect(existsSync(run)).toBe(true);
  expect(retain(results, "test", {}, now).runs).toBe(0);
  expect(existsSync(run)).toBe(true);
});

test("whatever there is and whatever is kept, no failing run goes, and what is left fits", () => {
  const run = fc.record({
    daysAgo: fc.integer({ min: 0, max: 60 }),
    fails: fc.boolean(),
    bytes: fc.integer({ min: 0, max: 5000 }),
  });
  const kept = fc.record({
    days: fc.integer({ min: 1, max: 50 }),
    size: fc.integer({ min: 0, max: 30_000 }),
  });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 8 }), kept, (runs, keeping) => {
      rmSync(results, { recursive: true, force: true });
      const made = runs.map(({ daysAgo, fails, bytes }, i) => ({
        daysAgo,
        fails,
        bytes,
        path: keep(`job-${i}`, daysAgo, fails ? violated : {}, bytes),
      }));
      retain(results, "test", keeping, now);
      const left = made.filter(({ path }) => existsSync(path));
      for (const { path, fails } of made) if (fails) expect(existsSync(path)).toBe(true);
      const passed = left.filter(({ fails }) => !fails);
      expect(passed.every(({ daysAgo }) => daysAgo <= keeping.days)).toBe(true);
      expect(passed.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(keeping.size);
    }),
    { numRuns: 40 },
  );
});
