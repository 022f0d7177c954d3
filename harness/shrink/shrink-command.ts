import { worst } from "../../checkers/index.ts";
import { InputError } from "../../model/index.ts";
import { findRun, readManifest, renderRun, type Manifest } from "../../results/index.ts";
import { exitWith, print, printJson } from "../command-line.ts";
import type { ShrinkFlags } from "../commands/shrink.ts";
import { withInterruption } from "../interruption.ts";
import { hintOfNames } from "../names.ts";
import { makeProgress, type Progress } from "../progress.ts";
import { repeatable, type RepeatableRun } from "../replay/recorded-flags.ts";
import { allVerdictLines } from "../verdicts.ts";
import { shrinkByDeltaDebugging } from "./by-delta-debugging.ts";
import { shrinkByFastCheck } from "./by-fast-check.ts";
import { effective, sizeOf, type Candidate } from "./candidate.ts";
import { Trials, violated, type Found } from "./trials.ts";

/** Runs of a candidate on real servers before it is taken not to fail. */
const dockerRepeats = 3;

/** How a search ended: with nothing left to leave out, out of time, or by its user. */
type Ending = "nothing smaller fails" | "the time is up" | "ended early" | "it did not fail again";

/**
 * `zabcheck shrink RUN`: looks for a smaller run that violates the same property, and keeps the smallest. Exit code 1
 * where there is one (it fails), 2 where the run did not fail again.
 * Throws InputError for a run that is none, did not fail or cannot be repeated.
 */
export async function shrinkCommand(name: string, flags: ShrinkFlags): Promise<void> {
  const directory = findRun(name, flags.results);
  const manifest = readManifest(directory);
  const of = repeatable(manifest, directory);
  const property = propertyOf(manifest, directory, flags.property);
  const progress = await makeProgress();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), Math.min(flags.time, 2 ** 31 - 1));
  try {
    const outcome = await withInterruption(async (interruption) => {
      const over = AbortSignal.any([interruption, deadline.signal]);
      const repeats = flags.repeat ?? (of.flags.cluster === "docker" ? dockerRepeats : 1);
      const { results } = flags;
      const tell = (line: string): void => progress.note(line);
      const trials = new Trials({ of, original: directory, property, repeats, results, over, tell });
      try {
        const ending = await search(trials, of, manifest, flags, progress, over);
        return { found: trials.found, runs: trials.runs, ending: ending ?? endingOf(interruption, deadline) };
      } finally {
        trials.close();
      }
    }, progress.note);
    progress.done();
    await report(outcome, { directory, property, before: candidateOf(of), json: flags.json === true });
  } finally {
    clearTimeout(timer);
  }
}

function endingOf(interruption: AbortSignal, deadline: AbortController): Ending {
  if (interruption.aborted) return "ended early";
  return deadline.signal.aborted ? "the time is up" : "nothing smaller fails";
}

/** Which verdict must be violated again: the one that was asked for, or the first. */
function propertyOf({ verdicts }: Manifest, directory: string, wanted: string | undefined): string {
  const names = violated(verdicts);
  const [first] = names;
  if (first === undefined)
    throw new InputError(`${directory}: nothing is violated in it`, "give a run that failed");
  if (wanted === undefined || names.includes(wanted)) return wanted ?? first;
  throw new InputError(`${directory}: '${wanted}' is not violated in it`, hintOfNames(wanted, names));
}

function candidateOf({ flags, schedule }: RepeatableRun): Candidate {
  return effective({ durationMs: flags.time, clients: flags.clients, schedule });
}

async function search(
  trials: Trials,
  of: RepeatableRun,
  manifest: Manifest,
  { by }: ShrinkFlags,
  progress: Progress,
  over: AbortSignal,
): Promise<Ending | undefined> {
  const original = candidateOf(of);
  progress.stage(`shrinking ${sizeOf(original)}`);
  if (!(await trials.fails(original))) return over.aborted ? undefined : "it did not fail again";
  const cut = cutAtViolation(original, manifest);
  const failing = cut !== undefined && (await trials.fails(cut)) ? cut : original;
  const strategy = by ?? (of.flags.cluster === "docker" ? "delta-debugging" : "fast-check");
  const shrink = strategy === "fast-check" ? shrinkByFastCheck : shrinkByDeltaDebugging;
  await shrink(failing, trials.fails, () => over.aborted);
  return undefined;
}

/** So much time after the earliest event that cannot be explained is left in the first guess. */
const marginMs = 1000;

/** The same run up to what went wrong; undefined where that is at its end. */
function cutAtViolation(original: Candidate, { verdicts }: Manifest): Candidate | undefined {
  const times = verdicts.flatMap(({ violation }) => {
    const event = violation?.earliest ?? violation?.events.at(-1);
    return event === undefined ? [] : [event.time / 1e6];
  });
  const durationMs = Math.ceil(Math.min(...times) + marginMs);
  return durationMs < original.durationMs ? effective({ ...original, durationMs }) : undefined;
}

interface Shrunk {
  readonly found: Found | undefined;
  readonly runs: number;
  readonly ending: Ending;
}

async function report(
  { found, runs, ending }: Shrunk,
  told: {
    readonly directory: string;
    readonly property: string;
    readonly before: Candidate;
    readonly json: boolean;
  },
): Promise<void> {
  const { directory: of, property, before, json } = told;
  const verdicts = found?.directory.manifest.verdicts ?? [];
  const outcome = found === undefined ? "unknown" : worst(verdicts.map(({ verdict }) => verdict));
  const page = found === undefined ? undefined : await renderRun(found.directory.path);
  if (json) {
    printJson({
      verdict: outcome,
      checks: verdicts,
      shrink: {
        of,
        property,
        runs,
        ending,
        before: figuresOf(before),
        after: found === undefined ? null : figuresOf(found.candidate),
        directory: found?.directory.path ?? null,
        history: found === undefined ? null : found.directory.file("history"),
      },
    });
  } else if (found === undefined) {
    print(`unknown: ${property} was not violated again in ${runs} runs; ${ending}`);
  } else {
    for (const line of allVerdictLines(verdicts)) print(line);
    print("");
    print(`${property} is violated with ${sizeOf(found.candidate)}; before ${sizeOf(before)}`);
    print(`${runs} runs; ${ending}`);
    print(`report: ${page ?? ""}`);
    print(`again:  ${String(found.directory.manifest.parameters["command"])}`);
  }
  exitWith(outcome);
}

function figuresOf({ durationMs, clients, schedule }: Candidate): object {
  const heldMs = schedule.reduce((sum, { holdMs }) => sum + holdMs, 0);
  return { faults: schedule.length, heldMs, durationMs, clients };
}
