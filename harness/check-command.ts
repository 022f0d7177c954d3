import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  formatOfFile,
  linearizableInParallel,
  readHistory,
  worst,
  type Format,
  type History,
  type Outcome,
  type Verdict,
} from "../checkers/light.ts";
import {
  casRegister,
  counter,
  etcd,
  fifoQueue,
  InputError,
  keyValue,
  mutex,
  OperationError,
  priorityQueue,
  register,
  setOfValues,
  stack,
  type Event,
  type Json,
  type SequentialSpecification,
} from "../model/light.ts";
import { exitWith, print, printJson } from "./command-line.ts";
import type { CheckFlags } from "./commands/check.ts";
import { withLargerHeap } from "./larger-heap.ts";
import { hintOfNames } from "./names.ts";
import { plainVerdict, verdictLines } from "./verdicts.ts";
import type { Check } from "./workloads/workload.ts";

/** What became of one file. */
interface Checked {
  readonly file: string;
  readonly format: Format;
  readonly verdict: Outcome;
  /** Until the verdict was known; reading the file and explaining a violation come on top. */
  readonly seconds: number;
  readonly readSeconds: number;
  readonly operations: number;
  readonly warnings: readonly string[];
  readonly checks: readonly Verdict[];
}

type AnySpecification = SequentialSpecification<unknown>;
const any = <State>(specification: SequentialSpecification<State>): AnySpecification =>
  specification as AnySpecification;

/** Data types that start at once; all others are looked up in the table of the model. */
const dataTypes: { readonly [name: string]: (initial: Json | undefined) => AnySpecification } = {
  register: (initial) => any(register(initial ?? null)),
  "cas-register": (initial) => any(casRegister(initial ?? null)),
  kv: () => any(keyValue()),
  set: () => any(setOfValues()),
  queue: () => any(fifoQueue()),
  stack: () => any(stack()),
  "priority-queue": () => any(priorityQueue()),
  mutex: () => any(mutex()),
  counter: () => any(counter()),
  etcd: () => any(etcd()),
};
const registers: ReadonlySet<string> = new Set(["register", "cas-register"]);

type Judge = (history: History) => readonly Verdict[] | Promise<readonly Verdict[]>;

/** Judges each file, prints what was found and sets the exit code to the worst. */
export async function checkFiles(files: readonly string[], flags: CheckFlags): Promise<void> {
  const code = withLargerHeap(files);
  if (code !== undefined) {
    process.exitCode = code;
    return;
  }
  const checked: Checked[] = [];
  for (const file of files) {
    const one = await checkFile(file, flags);
    checked.push(one);
    if (flags.json !== true) printChecked(one, files.length > 1);
  }
  const verdict = worst(checked.map((one) => one.verdict));
  if (flags.json === true) {
    const checks = checked.flatMap((one) => one.checks);
    const only = checked.length === 1 ? checked[0] : undefined;
    printJson({
      verdict,
      checks,
      ...(only === undefined ? {} : { file: only.file, format: only.format, operations: only.operations }),
      files: checked,
    });
  } else if (files.length > 1) print(`verdict: ${verdict}`);
  exitWith(verdict);
}

async function checkFile(file: string, flags: CheckFlags): Promise<Checked> {
  return isJudgedInPlace(file, flags) ? checkInPlace(file) : checkLoaded(file, flags);
}

const zookeeperNames: ReadonlySet<string | undefined> = new Set(["zookeeper", "znodes"]);

/** Whether it is judged without its events in memory: not where a report draws them. */
function isJudgedInPlace(file: string, { as, format, report }: CheckFlags): boolean {
  if (!zookeeperNames.has(as) || report !== undefined) return false;
  return formatOfFile(file, format as Format | "auto") === "zabcheck";
}

/** Judges what ZooKeeper promises. */
async function checkInPlace(file: string): Promise<Checked> {
  const { judgeZookeeper, readZookeeperFile } = await import("../checkers/index.ts");
  const began = performance.now();
  const { history, operations, warnings } = readZookeeperFile(file);
  const start = performance.now();
  const verdicts = judgeZookeeper(history);
  const seconds = (performance.now() - start) / 1000;
  const readSeconds = (start - began) / 1000;
  const told = outcomeOf(file, verdicts, warnings);
  return {
    file,
    format: "zabcheck",
    ...told,
    seconds,
    readSeconds,
    operations,
    checks: verdicts.map(plainVerdict),
  };
}

/** The worst of the verdicts, unless nothing was exercised. */
function outcomeOf(
  file: string,
  verdicts: readonly Verdict[],
  warnings: readonly string[],
): { readonly verdict: Outcome; readonly warnings: readonly string[] } {
  if (verdicts.some((each) => each.vacuous !== true))
    return { verdict: worst(verdicts.map((each) => each.verdict)), warnings };
  const warning = `${file}: nothing in it exercises what it is judged for; is --as right?`;
  return { verdict: "unknown", warnings: [...warnings, warning] };
}

async function checkLoaded(file: string, flags: CheckFlags): Promise<Checked> {
  const began = performance.now();
  const read = readHistory(file, flags.format as Format | "auto");
  const readSeconds = (performance.now() - began) / 1000;
  const { history, judge, ...prepared } = await judgeFor(read, file, flags);
  const start = performance.now();
  const verdicts = await judge(history);
  const seconds = (performance.now() - start) / 1000;
  const { verdict, warnings } = outcomeOf(file, verdicts, prepared.warnings);
  // From here on, violations are explained: on a verdict's first reading.
  const checks = verdicts.map(plainVerdict);
  if (flags.report !== undefined) await writeReport(flags.report, file, history, checks, warnings);
  const operations = history.events.filter(({ type }) => type === "invoke").length;
  return { file, format: history.format, verdict, seconds, readSeconds, operations, warnings, checks };
}

interface Prepared {
  readonly history: History;
  readonly warnings: readonly string[];
  readonly judge: Judge;
}

async function judgeFor(history: History, file: string, flags: CheckFlags): Promise<Prepared> {
  const name = flags.as ?? (history.format === "etcd-report" ? "etcd" : undefined);
  const special = name === undefined ? await workloadJudge(scenarioOf(file)) : await specialJudge(name);
  if (special !== undefined) return { history, warnings: history.warnings, judge: special };
  if (name === undefined) {
    throw new InputError(
      `${file}: nothing tells what this history is about`,
      "Say it with --as, for example --as cas-register.",
    );
  }
  const given = flags.initial === undefined ? undefined : parseInitial(flags.initial);
  const isJepsenRegister = history.format === "jepsen-edn" && registers.has(name);
  const initial = given === undefined && isJepsenRegister ? 0 : given;
  const specification = await specificationFor(name, initial);
  const { events, warning } =
    isJepsenRegister && initial !== null
      ? withoutUnknownReads(history.events)
      : { events: history.events, warning: undefined };
  const judge: Judge = async () => [
    await linearizableInParallel(
      events,
      specification,
      { name, initial },
      {
        timeMs: flags.time,
        memoryBytes: flags.memory,
        allKeys: flags.allKeys === true,
        independentKeys: true,
        locate: (event) => history.locate(event),
      },
    ),
  ];
  return {
    history: { ...history, events },
    warnings: [...history.warnings, ...(warning === undefined ? [] : [`${file}: ${warning}`])],
    judge,
  };
}

/** Knossos takes a read that answered nil for one whose answer is not known. */
function withoutUnknownReads(events: readonly Event[]): {
  readonly events: readonly Event[];
  readonly warning: string | undefined;
} {
  let count = 0;
  const known = events.map((event): Event => {
    const { type, f, value } = event;
    const isNil = value === null || (Array.isArray(value) && value.length === 2 && value[1] === null);
    if (type !== "ok" || f !== "read" || !isNil) return event;
    count++;
    return { ...event, type: "fail" };
  });
  const warning = `${String(count)} reads answered nil, which Jepsen takes for "not known"; they were left out (--initial null takes nil for a value)`;
  return { events: known, warning: count === 0 ? undefined : warning };
}

async function specificationFor(name: string, initial: Json | undefined): Promise<AnySpecification> {
  const make = dataTypes[name];
  if (make !== undefined && (initial === undefined || registers.has(name))) return make(initial);
  const { specificationNamed, namedSpecifications } = await import("../model/index.ts");
  const { namedChecks } = await import("../checkers/index.ts");
  const tables = [namedSpecifications, namedChecks].flatMap((each) => each.map((entry) => entry.name));
  const names = [...new Set([...Object.keys(dataTypes), "znodes", ...tables])];
  if (!names.includes(name))
    throw new InputError(`unknown type '${name}' for --as`, hintOfNames(name, names));
  return specificationNamed(name, initial);
}

/** Judges by the checks that belong to ZooKeeper rather than to one object. */
async function specialJudge(name: string): Promise<Judge | undefined> {
  if (name === "election") return workloadJudge("leader-election");
  if (name in dataTypes) return undefined;
  const { namedChecks } = await import("../checkers/index.ts");
  const found = namedChecks.find((each) => each.name === (name === "znodes" ? "zookeeper" : name));
  return found === undefined ? undefined : ({ events }) => found.check(events);
}

async function workloadJudge(scenario: string | undefined): Promise<Judge | undefined> {
  if (scenario === undefined) return undefined;
  const { workloadChecks } = await import("./workloads/checks.ts");
  if (!Object.hasOwn(workloadChecks, scenario)) return undefined;
  const checks: readonly Check[] = workloadChecks[scenario as keyof typeof workloadChecks];
  return async ({ events }) => {
    const verdicts: Verdict[] = [];
    for (const check of checks) {
      const found = await check.run(events);
      verdicts.push(...("name" in found ? [found] : found));
    }
    return verdicts;
  };
}

/** The workload that the manifest beside a run's history names. */
function scenarioOf(file: string): string | undefined {
  const manifest = join(dirname(file), "manifest.json");
  if (!existsSync(manifest)) return undefined;
  try {
    const parsed = JSON.parse(readFileSync(manifest, "utf8")) as unknown;
    const scenario =
      typeof parsed === "object" && parsed !== null
        ? (parsed as { readonly scenario?: unknown }).scenario
        : undefined;
    return typeof scenario === "string" ? scenario : undefined;
  } catch {
    return undefined;
  }
}

function parseInitial(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new InputError(`--initial ${text} is no JSON`, "Give a value such as 0, null or '[]'.", error);
  }
}

function printChecked(checked: Checked, isOneOfMany: boolean): void {
  const { file, operations, seconds } = checked;
  if (isOneOfMany) print(`${file}: ${checked.verdict}`);
  print(`${String(operations)} operations, judged in ${seconds.toFixed(3)} s`);
  for (const warning of checked.warnings) print(`warning   ${warning}`);
  for (const check of checked.checks) for (const line of verdictLines(check)) print(line);
}

const drawnNs = 1e6;

/** Events as they can be drawn: where the history has no clock, its times only count the events. */
function drawable(events: readonly Event[]): { readonly events: readonly Event[]; readonly clock: string } {
  if (events.some(({ time }, at) => at > 0 && time - (events[at - 1] as Event).time > drawnNs / 1000))
    return { events, clock: "" };
  return {
    events: events.map((event, at) => ({ ...event, time: at * drawnNs })),
    clock: " The history has no clock: each event is drawn one millisecond after the one before.",
  };
}

async function writeReport(
  path: string,
  file: string,
  history: History,
  verdicts: readonly Verdict[],
  warnings: readonly string[],
): Promise<void> {
  const { historyPage, markup } = await import("../results/index.ts");
  const { events, clock } = drawable(history.events);
  const page = historyPage({
    title: file,
    subtitle: `${history.format} · ${String(history.events.length)} events`,
    lead: markup`${warnings.length === 0 ? "Read without warnings." : warnings.join("; ")}${clock}`,
    verdicts,
    finished: true,
    events,
    more: [],
  });
  try {
    writeFileSync(path, page);
  } catch (error) {
    throw new OperationError(
      "unwritable",
      `the report ${path} can't be written`,
      "Give a path in a folder that can be written to.",
      error,
    );
  }
}
