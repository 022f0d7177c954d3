import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { job } from "./for-tests.ts";
import { Journal, readJournal, type JournalLine } from "./journal.ts";
import { notRun } from "./job-result.ts";

let path = "";
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zabcheck-journal-"));
  path = join(folder, "journal.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const owner = { pid: 7, start: "1", host: "h", boot: "b", namespace: "n" };
const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const result = notRun(job("a", ["holds"]), "no reason");

const lines: readonly JournalLine[] = [
  { event: "session", at: at(0), owner },
  { event: "started", at: at(1), job: "a" },
  { event: "running", at: at(1), job: "a", owner },
  { event: "ended", at: at(10), job: "a", result },
  { event: "started", at: at(10), job: "b" },
  { event: "postponed", at: at(12), job: "b", reason: "no engine" },
  { event: "started", at: at(14), job: "b" },
  { event: "running", at: at(14), job: "b", owner },
  { event: "started", at: at(15), job: "c" },
  // An hour later somebody goes on.
  { event: "session", at: at(3600), owner: { ...owner, pid: 8 } },
  { event: "ended", at: at(3605), job: "b", result },
];

function write(all: readonly JournalLine[]): void {
  const journal = new Journal(path);
  for (const line of all) journal.write(line);
  journal.close();
}

test("what is done, what is under way and how long it was worked at is read back", () => {
  write(lines);
  const state = readJournal(path);
  expect([...state.results.keys()]).toEqual(["a", "b"]);
  expect([...state.underWay]).toEqual([["c", null]]);
  expect(Object.fromEntries(state.starts)).toEqual({ a: 1, b: 2, c: 1 });
  expect(Object.fromEntries(state.postponed)).toEqual({ b: 1 });
  expect([state.owner?.pid, state.finished]).toEqual([8, false]);
  expect(state.activeMs).toBe(15_000 + 5000);
  write([{ event: "finished", at: at(3606) }]);
  expect(readJournal(path).finished).toBe(true);
});

test("a journal that was cut off anywhere says what its whole lines say, and goes on", () => {
  write(lines);
  const whole = readFileSync(path);
  fc.assert(
    fc.property(fc.nat(whole.length), (length) => {
      writeFileSync(path, whole.subarray(0, length));
      const kept = whole.subarray(0, length).toString().split("\n");
      const complete = kept
        .filter((line, i) => i < kept.length - 1 || line.endsWith("}"))
        .filter(isJson).length;
      const before = readJournal(path);
      write([{ event: "ended", at: at(4000), job: "late", result }]);
      const after = readJournal(path);
      expect([...after.results.keys()]).toEqual([...before.results.keys(), "late"]);
      const counted = lines.slice(0, complete).filter(({ event }) => event === "ended").length;
      expect(before.results.size).toBe(counted);
    }),
  );
});

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

test("a line that is no line of a journal is left out", () => {
  write(lines.slice(0, 2));
  appendFileSync(path, '{"event":"ended","job":"a"}\nnonsense\n');
  expect(readJournal(path).results.size).toBe(0);
  expect(readJournal(join(folder, "missing")).results.size).toBe(0);
});
