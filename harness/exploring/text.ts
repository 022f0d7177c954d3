import {
  describeBounds,
  showValue,
  type Counterexample,
  type CounterexampleStep,
  type ExplorationResult,
  type Verdict,
} from "../../checkers/index.ts";
import { allVerdictLines } from "../verdicts.ts";

/** An exploration's outcome for people. */
export function linesOf(result: ExplorationResult): readonly string[] {
  return [
    `${result.model}: ${describeBounds(result)}`,
    `${number(result.generated)} generated, ${number(result.distinct)} distinct, depth ${result.depth}; ` +
      `${result.seconds.toFixed(1)} s, ${number(Math.round(result.generatedPerSecond))} states/s` +
      (result.unexpanded > 0
        ? `; ${number(result.unexpanded)} states were found and not explored further`
        : ""),
    "",
    ...actionLines(result),
    "",
    ...result.witnesses.map(({ name, seen }) => `${seen ? "seen      " : "NOT SEEN  "}${name}`),
    ...verdictLinesOf(result.verdicts),
    ...result.notJudged.map(({ name, reason }) => `not judged  ${name}: ${reason}`),
    ...(result.counterexample === null
      ? []
      : ["", ...counterexampleLines(result.counterexample, result.mode)]),
    "",
    `probability that a state was missed (two of one fingerprint): below ${result.collisionProbability.toExponential(1)}`,
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
): readonly string[] {
  const { property, kind, length, steps } = counterexample;
  const shortest = mode === "breadth-first" ? "a shortest path" : "a path";
  const broken = kind === "recoverable" ? `${property} cannot be reached any more` : `${property} is broken`;
  return [`${broken}: ${shortest} there, of ${length} states`, ...steps.flatMap(stepLines)];
}

/** "  3. FollowerProcessNEWEPOCH(s2, s1)" and what it changed. */
export function stepLines(
  step: Pick<CounterexampleStep, "action" | "parameters" | "changes">,
  index: number,
): string[] {
  const { action, parameters, changes } = step;
  const wide = Math.max(0, ...changes.map(({ entry }) => entry.length));
  return [
    `${String(index + 1).padStart(3)}. ${action}(${parameters.map(showValue).join(", ")})`,
    ...changes.map(
      ({ entry, before, after }) =>
        `       ${entry.padEnd(wide)}  ${showValue(before)}  ->  ${showValue(after)}`,
    ),
  ];
}

function number(value: number): string {
  return value.toLocaleString("en");
}
