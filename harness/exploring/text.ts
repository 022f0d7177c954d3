import {
  describeBounds,
  showValue,
  type Counterexample,
  type CounterexampleStep,
  type ExplorationResult,
  type Verdict,
} from "../../checkers/index.ts";
import { isMeasuring, type Event } from "../../model/index.ts";
import { allVerdictLines } from "../verdicts.ts";
import { checkCommand, historyFiles, type Explored } from "./histories.ts";
import type { Telling } from "./telling.ts";

/** What is told of an exploration beside its result. */
export interface Shown extends Telling {
  /** What each step changes is told, also where there are words for it. */
  readonly changes: boolean;
}

/** An exploration's outcome for people. `directory`: where it is kept. */
export function linesOf(explored: Explored, shown: Shown, directory: string | null): readonly string[] {
  const { result, examples } = explored;
  const { counterexample } = result;
  const isOfHistory = examples.some((example) => example.counterexample === counterexample);
  return [
    `${result.model}: ${describeBounds(result)}`,
    `${number(result.generated)} generated, ${number(result.distinct)} distinct, depth ${result.depth}; ` +
      `${result.seconds.toFixed(1)} s, ${number(Math.round(result.generatedPerSecond))} states/s` +
      (result.unexpanded > 0
        ? `; ${number(result.unexpanded)} states were found and not explored further`
        : ""),
    ...(result.alike > 0
      ? [
          `${number(result.alike)} of the states have the successors of another: they differ in what is never read`,
        ]
      : []),
    "",
    ...actionLines(result),
    "",
    ...witnessLines(result, shown),
    ...verdictLinesOf(result.verdicts),
    ...result.notJudged.map(({ name, reason }) => `not judged  ${name}: ${reason}`),
    ...(counterexample === null || isOfHistory
      ? []
      : ["", ...counterexampleLines(counterexample, result.mode, shown)]),
    ...exampleLines(explored, shown, directory),
    "",
    `probability that a state was missed (two of one fingerprint): below ${result.collisionProbability.toExponential(1)}`,
  ];
}

/** Witnesses that measure something are told by their measure. */
function witnessLines({ witnesses, ending }: ExplorationResult, { measures }: Shown): readonly string[] {
  const others = witnesses.filter(({ name }) => !measures.some((measure) => isMeasuring([measure], name)));
  const far = ending === "complete" ? "" : " in what was explored";
  return [
    ...others.map(({ name, seen }) => `${seen ? "seen      " : "NOT SEEN  "}${name}`),
    ...measures.map((measure) => `measured  ${measure.name}: ${measure.greatest} at most${far}`),
  ];
}

/** Where an exploration ended early, what it did not decide is told in one line. */
function verdictLinesOf(verdicts: readonly Verdict[]): readonly string[] {
  const open = verdicts.filter(({ verdict }) => verdict === "unknown");
  const [first, second] = open;
  if (first === undefined || second === undefined || open.some(({ detail }) => detail !== first.detail)) {
    return allVerdictLines(verdicts);
  }
  const names = open.map(({ name }) => name).join(", ");
  return [
    ...allVerdictLines(verdicts.filter((verdict) => !open.includes(verdict))),
    `unknown   ${first.detail}: ${names}`,
  ];
}

function actionLines({ actions }: ExplorationResult): string[] {
  const wide = Math.max(6, ...actions.map(({ name }) => name.length));
  return [
    `${"action".padEnd(wide)} ${"generated".padStart(14)} ${"new".padStart(14)}`,
    ...actions.map(
      ({ name, generated, distinct }) =>
        `${name.padEnd(wide)} ${number(generated).padStart(14)} ${number(distinct).padStart(14)}` +
        (generated === 0 ? "  never enabled" : ""),
    ),
  ];
}

function counterexampleLines(
  counterexample: Counterexample,
  mode: ExplorationResult["mode"],
  { words, changes }: Pick<Shown, "words" | "changes">,
): readonly string[] {
  const { property, kind, length, steps } = counterexample;
  const shortest = mode === "breadth-first" ? "a shortest path" : "a path";
  const broken = kind === "recoverable" ? `${property} cannot be reached any more` : `${property} is broken`;
  return [
    `${broken}: ${shortest} there, of ${length} states`,
    ...steps.flatMap((step, index) => stepLines(step, index, words[index] ?? null, changes)),
  ];
}

/** Histories that break a promise, or show what is known and no violation: the steps, and what the clients saw of them. */
function exampleLines(explored: Explored, shown: Shown, directory: string | null): readonly string[] {
  const { examples, result } = explored;
  const files = directory === null ? [] : historyFiles(explored, directory);
  return examples.flatMap((example, index) => {
    const { promise, kind, counterexample, events } = example;
    const { length, steps } = counterexample;
    const what =
      kind === "violation" ? `breaks ${promise.name}` : `shows the anomaly ${promise.anomaly ?? ""}`;
    const shortest = result.mode === "breadth-first" ? "a shortest path" : "a path";
    const words = shown.wordsOf(counterexample);
    const file = files[index];
    return [
      "",
      `a history ${what}: ${shortest} there, of ${length} states`,
      ...steps.flatMap((step, at) => stepLines(step, at, words[at] ?? null, shown.changes)),
      `     the history${file === undefined ? " (--history FILE writes it)" : ""}:`,
      ...events.map(eventLine),
      ...(file === undefined ? [] : [`     again: ${checkCommand(file)}`]),
    ];
  });
}

/** "       2  ok      getData  {"path":"/x","data":""}  zxid 0x1 of s2": the plain fields alone. */
function eventLine({ process, type, f, value, zxid, server }: Event): string {
  const fields = Object.entries(typeof value === "object" && value !== null ? value : { value });
  const plain = fields.filter(([, field]) => typeof field !== "object" || field === null);
  const seen = zxid === undefined ? "" : `  zxid 0x${zxid.toString(16)}`;
  const where = server === undefined ? "" : ` of ${server}`;
  return `       ${process}  ${type.padEnd(6)}  ${f}  ${JSON.stringify(Object.fromEntries(plain))}${seen}${where}`;
}

/** "  3. FollowerProcessNEWEPOCH(s2, s1)" and what it changed; or, where the model has words for it, these. */
export function stepLines(
  step: Pick<CounterexampleStep, "action" | "parameters" | "changes">,
  index: number,
  words: string | null,
  changes: boolean,
): string[] {
  const { action, parameters } = step;
  const head = `${String(index + 1).padStart(3)}. `;
  const told = changes || words === null ? step.changes : [];
  const wide = Math.max(0, ...told.map(({ entry }) => entry.length));
  return [
    `${head}${words ?? `${action}(${parameters.map(showValue).join(", ")})`}`,
    ...told.map(
      ({ entry, before, after }) =>
        `       ${entry.padEnd(wide)}  ${showValue(before)}  ->  ${showValue(after)}`,
    ),
  ];
}

function number(value: number): string {
  return value.toLocaleString("en");
}
