import { join } from "node:path";
import { worst, type Outcome, type Verdict } from "../../checkers/index.ts";
import { readManifest, runFiles, type Manifest } from "../../results/index.ts";
import { exitWith, print, printJson } from "../command-line.ts";
import { withInterruption } from "../interruption.ts";
import { makeProgress } from "../progress.ts";
import { prepareRun, runLines, runOutputOf } from "../run-command.ts";
import { run, type RunResult } from "../run.ts";
import { compareHistories, type Comparison } from "./compare-histories.ts";
import { repeatable } from "./recorded-flags.ts";

/** How a run came out when it was done again. */
export interface Repetition {
  /** Of the embedded ensemble; null of real servers, whose histories are never the same. */
  readonly history: Comparison | null;
  readonly before: readonly Verdict[];
  readonly now: readonly Verdict[];
  /** Verdicts that came out otherwise, by name. */
  readonly changed: readonly string[];
}

/**
 * `zabcheck replay RUN`: repeats a run with its seed and schedule. The embedded ensemble must give the same history,
 * byte for byte; where it does not the outcome is unknown at best. Of real servers the verdicts are compared.
 * Throws InputError for what cannot be repeated, and what `run` throws.
 */
export async function replayRun(
  directory: string,
  { results, json }: { readonly results: string; readonly json?: boolean },
): Promise<void> {
  const before = readManifest(directory);
  const { workload, flags, seed, schedule } = repeatable(before, directory);
  const progress = await makeProgress();
  const parameters = { replayOf: directory, command: `zabcheck replay ${directory}` };
  const request = await prepareRun(workload, { ...flags, seed, results }, progress, { schedule, parameters });
  const result = await withInterruption(
    (interruption) => run(request, progress, interruption),
    progress.note,
  );
  const repetition = repetitionOf(directory, before, result);
  const lines = linesOf(repetition, before, result.manifest);
  if (json === true) {
    const { history, changed } = repetition;
    const sameHistory = history === null ? null : isExpected(history, before, result.manifest);
    printJson({
      ...runOutputOf(result),
      verdict: outcomeOf(repetition, before, result.manifest),
      replay: {
        of: directory,
        sameHistory,
        commonEvents: history?.events ?? null,
        changed,
        detail: lines.join("; "),
      },
    });
  } else for (const line of [...runLines(result), ...lines]) print(line);
  exitWith(outcomeOf(repetition, before, result.manifest));
}

function repetitionOf(directory: string, before: Manifest, result: RunResult): Repetition {
  const now = result.manifest.verdicts;
  const embedded = before.cluster.kind === "embedded";
  return {
    history: embedded ? compareHistories(join(directory, runFiles.history), result.history) : null,
    before: before.verdicts,
    now,
    changed: changedVerdicts(before.verdicts, now),
  };
}

/** The names of verdicts that are not what they were. Exported for its test. */
export function changedVerdicts(before: readonly Verdict[], now: readonly Verdict[]): readonly string[] {
  const outcomes = new Map(before.map(({ name, verdict }) => [name, verdict]));
  const names = new Set([...before, ...now].map(({ name }) => name));
  const later = new Map(now.map(({ name, verdict }) => [name, verdict]));
  return [...names].filter((name) => outcomes.get(name) !== later.get(name));
}

/** A run that was cut off left a beginning of its history, one that was ended early went another way from there on. */
function isExpected(history: Comparison, before: Manifest, now: Manifest): boolean {
  if (history.same) return true;
  const cutOff = before.status === "running" || before.status === "checking";
  return (cutOff && history.ended === "first") || isEndedEarly(before) || isEndedEarly(now);
}

function isEndedEarly({ status }: Manifest): boolean {
  return status === "interrupted" || status === "failed";
}

function outcomeOf(repetition: Repetition, before: Manifest, now: Manifest): Outcome {
  const { history } = repetition;
  const strayed = history !== null && !isExpected(history, before, now);
  return worst([now.outcome ?? "unknown", ...(strayed ? ["unknown" as const] : [])]);
}

function linesOf(repetition: Repetition, before: Manifest, now: Manifest): readonly string[] {
  const { history, changed } = repetition;
  return [
    ...(history === null ? [] : [historyLine(history, before, now)]),
    ...(before.verdicts.length === 0 ? ["the run was not judged then"] : verdictLines(repetition, changed)),
  ];
}

function historyLine(history: Comparison, before: Manifest, now: Manifest): string {
  const { events } = history;
  if (history.same) return `the same history, byte for byte: ${events} events`;
  if (before.status === "running" && history.ended === "first")
    return `the same history as far as the run had come when it was cut off, byte for byte: ${events} events`;
  if (isExpected(history, before, now))
    return `the same history up to event ${events}, about where one of the two was ended early`;
  const versions = [
    ...differing("zabcheck", before.zabcheck, now.zabcheck),
    ...differing("Node", before.host.node, now.host.node),
  ];
  return `ANOTHER HISTORY from event ${events} on${versions.length === 0 ? "" : `: ${versions.join(", ")}`}`;
}

function differing(what: string, before: string, now: string): readonly string[] {
  return before === now ? [] : [`${what} was ${before} and is ${now}`];
}

function verdictLines({ before, now }: Repetition, changed: readonly string[]): readonly string[] {
  if (changed.length === 0) return [`the same verdicts: ${now.length}`];
  const of = (verdicts: readonly Verdict[], name: string): string =>
    verdicts.find((verdict) => verdict.name === name)?.verdict ?? "absent";
  return changed.map((name) => `${name}: ${of(before, name)} then, ${of(now, name)} now`);
}
