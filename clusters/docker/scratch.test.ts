import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OperationError } from "../../model/index.ts";
import { thisOwner } from "./owner.ts";
import { listScratch, makeScratch, removeScratch, scratchRoot, whileLocked } from "./scratch.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zabcheck-scratch-"));
  vi.stubEnv("TMPDIR", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const dead = { ...thisOwner(), boot: "earlier" };

test("a scratch folder belongs to its living process", () => {
  const scratch = makeScratch("run");
  expect(listScratch()).toEqual([{ folder: scratch, liveness: "alive" }]);
  removeScratch(scratch);
  removeScratch(scratch);
  expect(listScratch()).toEqual([]);
});

test("a dead process's folder is told from a living one's, a fresh one without an owner is nobody's yet", () => {
  const left = makeScratch("base");
  writeFileSync(join(left, "owner.json"), JSON.stringify(dead));
  const nameless = join(scratchRoot(), "run-nameless");
  mkdirSync(nameless);
  const liveness = new Map(listScratch().map((each) => [each.folder, each.liveness]));
  expect(liveness.get(left)).toBe("dead");
  expect(liveness.get(nameless)).toBe("unknown");
});

test("one at a time does locked work, and a lock is free after a failure", async () => {
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 5));
    inside -= 1;
  };
  const lock = (): Promise<void> => whileLocked("x", 10_000, () => {}, work);
  await Promise.all([lock(), lock(), lock()]);
  expect(most).toBe(1);
  await expect(
    whileLocked(
      "x",
      0,
      () => {},
      () => Promise.reject(new Error("no")),
    ),
  ).rejects.toThrow("no");
  await lock();
  expect(readdirSync(scratchRoot())).toEqual([]);
});

test("a dead holder's lock is taken over, a living one's is waited for in vain", async () => {
  const lock = join(scratchRoot(), "lock-y");
  mkdirSync(lock);
  writeFileSync(join(lock, "owner.json"), JSON.stringify(dead));
  let waited = 0;
  await whileLocked(
    "y",
    5_000,
    () => (waited += 1),
    () => Promise.resolve(),
  );
  expect(waited).toBe(1);
  expect(existsSync(lock)).toBe(false);
  mkdirSync(lock);
  writeFileSync(join(lock, "owner.json"), JSON.stringify(thisOwner()));
  await expect(
    whileLocked(
      "y",
      0,
      () => {},
      () => Promise.resolve(),
    ),
  ).rejects.toBeInstanceOf(OperationError);
});
