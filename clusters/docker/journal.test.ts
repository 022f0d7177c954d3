import { appendFileSync, mkdtempSync, rmSync, truncateSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Fault } from "../cluster.ts";
import { openSteps, UndoJournal, type UndoStep } from "./journal.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zabcheck-journal-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const fault: Fault = { kind: "pause", servers: ["server-1"] };
const unpause = (container: string): UndoStep => ({ step: "unpause", container });

test("what was not undone is left to take, the latest first", () => {
  const journal = new UndoJournal(folder);
  const first = journal.intend(fault, [unpause("a"), { step: "start", container: "a" }]);
  journal.intend(fault, [unpause("b")]);
  journal.intend(fault, [{ step: "open-network", container: "c" }]);
  journal.undone(first);
  expect(openSteps(folder)).toEqual([{ step: "open-network", container: "c" }, unpause("b")]);
  journal.close();
});

test("every kind of step is read back as it was written", () => {
  const journal = new UndoJournal(folder);
  const steps = (["start", "unpause", "unlimit", "remove", "open-network"] as const).map(
    (step): UndoStep => ({ step, container: "a" }),
  );
  journal.intend(fault, steps);
  expect(openSteps(folder)).toEqual(steps);
  journal.close();
});

test("a run without a journal leaves nothing to take", () => {
  expect(openSteps(join(folder, "none"))).toEqual([]);
});

test("a torn last line is a fault that was not applied; a damaged one hides no other", () => {
  const journal = new UndoJournal(folder);
  journal.intend(fault, [unpause("a")]);
  journal.intend(fault, [unpause("b")]);
  journal.close();
  const path = join(folder, "undo.jsonl");
  truncateSync(path, statSync(path).size - 10);
  expect(openSteps(folder)).toEqual([unpause("a")]);
  appendFileSync(path, '\n{"fault":7,"undo":[{"step":"rm -rf","container":"x"}]}\n{"fault":8,"undo":[]}\n');
  expect(openSteps(folder)).toEqual([unpause("a")]);
});
