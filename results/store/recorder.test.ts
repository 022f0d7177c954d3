import { mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HistoryDecoder, OperationError } from "../../model/index.ts";
import { startModule } from "../for-tests.ts";
import { HistoryRecorder } from "./recorder.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "zabcheck-recorder-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(path: string): { readonly events: number; readonly torn: boolean } {
  const decoder = new HistoryDecoder({ file: path });
  const events = decoder.write(readFileSync(path));
  const end = decoder.end();
  return { events: events.length + end.events.length, torn: end.torn !== undefined };
}

function record(path: string, count: number, through: boolean): HistoryRecorder {
  const recorder = new HistoryRecorder(path, through);
  for (let i = 0; i < count; i++) {
    const type = i % 2 === 0 ? "invoke" : "ok";
    recorder.append({ time: i, process: 0, type, f: "write", value: `ünï ${i}` });
  }
  return recorder;
}

test("what was appended is on disk at once where it has to be", () => {
  const path = join(folder, "history.jsonl");
  const recorder = record(path, 7, true);
  expect(read(path)).toEqual({ events: 7, torn: false });
  expect(recorder.events.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  recorder.close();
});

test("batches are whole after closing", () => {
  const path = join(folder, "history.jsonl");
  const recorder = record(path, 1001, false);
  recorder.close();
  recorder.close();
  expect(read(path).events).toBe(1001);
});

test("an existing history is never overwritten, and a folder that is missing is told", () => {
  const path = join(folder, "history.jsonl");
  record(path, 2, true).close();
  expect(() => new HistoryRecorder(path, true)).toThrow(OperationError);
  expect(() => new HistoryRecorder(join(folder, "no", "history.jsonl"), true)).toThrow(/ENOENT/);
  expect(read(path).events).toBe(2);
});

test("a history that was cut off anywhere can be read up to there", () => {
  const path = join(folder, "history.jsonl");
  record(path, 40, true).close();
  const whole = readFileSync(path);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: whole.length }), (length) => {
      const cut = new HistoryDecoder({ file: "cut" });
      const events = cut.write(whole.subarray(0, length));
      const end = cut.end();
      const lines = whole.subarray(0, length).toString("latin1").split("\n").length - 1;
      expect(events.length + end.events.length).toBeGreaterThanOrEqual(Math.max(0, lines - 1));
    }),
  );
  truncateSync(path, whole.length - 3);
  expect(read(path)).toEqual({ events: 39, torn: true });
});

test(
  "a process that is killed at any moment leaves every event that it had appended",
  { timeout: 180_000 },
  async () => {
    for (let i = 0; i < 4; i++) {
      const path = join(folder, `history-${i}.jsonl`);
      const child = startModule(new URL("./record-until-killed.child.ts", import.meta.url), [
        path,
        "through",
      ]);
      await new Promise((resolve) => child.process.stdout?.once("data", resolve));
      await sleep(Math.random() * 150);
      child.process.kill("SIGKILL");
      const { stdout, signal } = await child.ended;
      expect(signal).toBe("SIGKILL");
      const told = Number(stdout.trimEnd().split("\n").at(-1));
      expect(told).toBeGreaterThan(0);
      expect(read(path).events).toBeGreaterThanOrEqual(told);
    }
  },
);
