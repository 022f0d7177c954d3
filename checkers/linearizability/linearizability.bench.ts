import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { casRegister, keyValue, type Event, type Json } from "../../model/light.ts";
import { readHistory } from "../readers/index.ts";
import { linearizable } from "./linearizable.ts";
import { drawFrom, simulatedHistory, type SimulatedType } from "./random-histories.ts";

/*
 * Prints how long verdicts take: min, median and spread of several rounds in one warm process, and the median of the
 * processor's time, which other processes disturb less; in ms, reading aside.
 *
 * ZABCHECK_HISTORIES names the folder of recorded histories. PORCUPINE may name a program that judges the same files
 * beside: `PORCUPINE register|kv FILE...` prints for each file one line "FILE VERDICT MILLISECONDS".
 */

const rounds = 7;
/** Before those that count: verdicts of a process that is warm. */
const warmingRounds = 25;
const folder = process.env["ZABCHECK_HISTORIES"];
const porcupine = process.env["PORCUPINE"];
const scratch = mkdtempSync(join(tmpdir(), "zabcheck-bench-"));

interface Case {
  readonly name: string;
  readonly kind: "register" | "kv";
  readonly files: readonly string[];
  readonly allKeys?: boolean;
}

function smallRegister(cas: boolean): SimulatedType {
  return {
    specification: casRegister(),
    invoke: (draw) =>
      [
        { f: "read", value: null },
        { f: "write", value: draw(5) },
        { f: "cas", value: [draw(5), draw(5)] },
      ][draw(cas ? 3 : 2)] as { f: string; value: Json },
    answers: ({ f, value }) =>
      f === "read" ? [null, 0, 1, 2, 3, 4] : f === "cas" ? [value, false] : [value],
  };
}

/** Writes a random history as Jepsen's log, which Porcupine's tests read, too. */
function randomLog(
  name: string,
  operations: number,
  unanswered: number,
  impossibleAt: number | undefined,
  cas: boolean,
): string {
  const shape = { processes: 5, operations, unanswered, failed: 0 };
  const called = new Map<number | string, Json>();
  const events = simulatedHistory(smallRegister(cas), shape, 0, drawFrom(operations + unanswered)).map(
    (event): Event => {
      if (event.type === "invoke") called.set(event.process, event.value);
      const isMismatch = event.f === "cas" && event.type === "ok" && event.value === false;
      return isMismatch ? { ...event, type: "fail", value: called.get(event.process) ?? null } : event;
    },
  );
  if (impossibleAt !== undefined) {
    const at = events.findIndex(
      (event, i) => i > impossibleAt * events.length && event.type === "ok" && event.f === "read",
    );
    events[at] = { ...(events[at] as Event), value: 99 };
  }
  const text = (event: Event): string => {
    if (event.type === "info") return ":timed-out";
    if (Array.isArray(event.value)) return `[${event.value.join(" ")}]`;
    return event.value === null ? "nil" : JSON.stringify(event.value);
  };
  const path = join(scratch, `${name}.log`);
  const lines = events.map(
    (event) => `INFO  jepsen.util - ${String(event.process)}\t:${event.type}\t:${event.f}\t${text(event)}`,
  );
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

function cases(): Case[] {
  const recorded = (sub: string, keep: (name: string) => boolean): string[] =>
    folder === undefined || !existsSync(join(folder, sub))
      ? []
      : readdirSync(join(folder, sub))
          .filter(keep)
          .map((name) => join(folder, sub, name));
  return [
    { name: "etcd's logs, all", kind: "register", files: recorded("porcupine-etcd", () => true) },
    {
      name: "etcd_002",
      kind: "register",
      files: recorded("porcupine-etcd", (name) => name === "etcd_002.log"),
    },
    { name: "c10-ok", kind: "kv", files: recorded("porcupine-kv", (name) => name === "c10-ok.txt") },
    { name: "c50-ok", kind: "kv", files: recorded("porcupine-kv", (name) => name === "c50-ok.txt") },
    {
      name: "c50-bad, all keys",
      kind: "kv",
      allKeys: true,
      files: recorded("porcupine-kv", (name) => name === "c50-bad.txt"),
    },
    {
      name: "20,000 valid, 2 % unanswered",
      kind: "register",
      files: [randomLog("valid", 20_000, 2, undefined, false)],
    },
    {
      name: "the same with cas",
      kind: "register",
      files: [randomLog("valid-cas", 20_000, 2, undefined, true)],
    },
    {
      name: "5,000, 10 % unanswered, one impossible read",
      kind: "register",
      files: [randomLog("bad", 5_000, 10, 0.9, false)],
    },
    { name: "the same with cas", kind: "register", files: [randomLog("bad-cas", 5_000, 10, 0.9, true)] },
  ];
}

interface Measured {
  readonly verdicts: readonly string[];
  /** Of each round, ascending, in ms. */
  readonly times: readonly number[];
  readonly processorTimes: readonly number[];
}

function ours(one: Case): Measured {
  const histories = one.files.map((file) => readHistory(file).events);
  const times: number[] = [];
  const processorTimes: number[] = [];
  let verdicts: string[] = [];
  for (let round = -warmingRounds; round < rounds; round++) {
    const [start, before] = [performance.now(), process.cpuUsage()];
    verdicts = histories.map((events) =>
      one.kind === "kv"
        ? linearizable(events, keyValue(), { timeMs: 20_000, allKeys: one.allKeys ?? false }).verdict
        : linearizable(events, casRegister(), { timeMs: 20_000 }).verdict,
    );
    if (round < 0) continue;
    times.push(performance.now() - start);
    const { user, system } = process.cpuUsage(before);
    processorTimes.push((user + system) / 1000);
  }
  const ascending = (list: number[]): number[] => list.sort((a, b) => a - b);
  return { verdicts, times: ascending(times), processorTimes: ascending(processorTimes) };
}

function theirs(one: Case): string {
  if (porcupine === undefined) return "";
  const { stdout } = spawnSync(porcupine, [one.kind, ...one.files], { encoding: "utf8", timeout: 120_000 });
  const lines = (stdout ?? "")
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  const ms = lines.reduce((sum, [, , time]) => sum + Number(time), 0);
  const verdicts = [...new Set(lines.map(([, verdict]) => verdict))].join("/");
  return `, Porcupine ${ms.toFixed(2)} (${verdicts})`;
}

try {
  for (const one of cases()) {
    if (one.files.length === 0) {
      process.stdout.write(`${one.name}: skipped, set ZABCHECK_HISTORIES to a folder that has it\n`);
      continue;
    }
    const { verdicts, times, processorTimes } = ours(one);
    const [min, median, max] = [times[0], times[rounds >> 1], times.at(-1)] as [number, number, number];
    const found = [...new Set(verdicts)].map(
      (verdict) => `${String(verdicts.filter((each) => each === verdict).length)} ${verdict}`,
    );
    process.stdout.write(
      `${one.name}: min ${min.toFixed(2)}, median ${median.toFixed(2)}, spread ${(max - min).toFixed(2)} ms, processor ${(processorTimes[rounds >> 1] as number).toFixed(2)} ms; ${found.join(", ")}${theirs(one)}\n`,
    );
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
