import { existsSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { InputError } from "../../model/index.ts";
import { verdictsOf, writeSummary, type NightSummary } from "../../results/index.ts";
import { print, printJson } from "../command-line.ts";
import type { NightlyFlags } from "../commands/nightly.ts";
import { exitCodeOf, exitCodes } from "../exit-codes.ts";
import { withInterruption } from "../interruption.ts";
import { ownCommand } from "../own-command.ts";
import type { Capacity } from "./admission.ts";
import { makeDisplay, type Display } from "./display.ts";
import { openNight, type Night } from "./night.ts";
import { parsePlan, planText, readPlan, type Plan, type WrittenPlan } from "./plan.ts";
import { retain } from "./retention.ts";
import { shippedPlans } from "./shipped.ts";
import { earlierSummaries, summarize } from "./summarize.ts";
import { summaryLines } from "./text.ts";
import { supervise } from "./supervisor.ts";
import { localWorkforce, type Workforce } from "./workforce.ts";

/** Of the machine's memory, where nothing else is said. */
export const memoryShare = 0.75;

/**
 * `zabcheck nightly PLAN`. Exit code 0 where all hold, 1 where something is violated, 2 where something is unknown or
 * was not run, 64 for a plan that is none, 70 where nothing could start or the disk is full.
 */
export async function nightlyCommand(word: string, flags: NightlyFlags): Promise<void> {
  refuseBoth(flags);
  const { name, written } = await planOf(word, flags);
  if (flags.print === true) {
    await parsePlan(written, name);
    print(planText(written));
    return;
  }
  // Before there is a night that nobody could work at.
  if (flags.queue !== undefined) await (await import("../queue/address.ts")).tryRedis(flags.queue);
  const { results, seed, fresh } = flags;
  const { night, state } = await openNight({ results, name, written, seed, fresh: fresh === true });
  const display = await makeDisplay(night.jobs.length, state?.results.size ?? 0);
  display.note(
    state === undefined
      ? `night ${night.directory}, seed ${night.seed}, ${night.jobs.length} jobs`
      : `going on with ${night.directory}: ${state.results.size} of ${night.jobs.length} jobs are done`,
  );
  const summary = await carryOut(night, state, display, word, flags);
  if (flags.json === true)
    printJson({
      verdict: summary.verdict,
      checks: verdictsOf(summary),
      directory: night.directory,
      summary,
    });
  else for (const line of summaryLines(summary, night.directory)) print(line);
  process.exitCode = exitCodeOfNight(summary);
}

/** A plan that comes along is made for `--time` and what the machine can do at once. */
async function planOf(
  word: string,
  flags: NightlyFlags,
): Promise<{ readonly name: string; readonly written: WrittenPlan }> {
  const make = existsSync(word) ? undefined : shippedPlans[word];
  if (make === undefined) return readPlan(word);
  const { processors } = capacityOf({}, flags);
  const written = await make(flags.time, Math.max(1, Math.floor(processors / 2)));
  return { name: word, written };
}

async function carryOut(
  night: Night,
  state: Parameters<typeof supervise>[0]["state"],
  display: Display,
  word: string,
  flags: NightlyFlags,
): Promise<NightSummary> {
  const { plan, directory, name } = night;
  const { results } = flags;
  const makeRoom = (): void => {
    // All that may go goes.
    const { runs } = retain(results, name, { size: 0 }, Date.now(), (run) => run.startsWith(directory));
    if (runs > 0)
      display.note(`the disk is nearly full: ${runs} runs of earlier nights that hold were removed`);
  };
  const { workforce, capacity, close } = await hire(night, flags, display);
  try {
    const outcome = await withInterruption(
      (interruption) =>
        supervise({
          ...{ night, state, interruption, makeRoom, workforce, capacity },
          budgetMs: flags.time ?? plan.time,
          observer: display,
        }),
      display.note,
    );
    const summary = summarize(night, outcome, earlierSummaries(results, night, display.note), word);
    writeSummary(directory, summary);
    const { runs } = retain(results, name, plan.keep, Date.now());
    if (runs > 0) display.note(`${runs} runs that hold were removed, as the plan keeps them no longer`);
    return summary;
  } finally {
    display.done();
    await close();
  }
}

function refuseBoth({ queue, memory, processors }: NightlyFlags): void {
  if (queue === undefined || (memory === undefined && processors === undefined)) return;
  throw new InputError(
    "--memory and --processors say what this machine may do, and with --queue it does nothing",
    "give them to zabcheck worker",
  );
}

interface Hired {
  readonly workforce: Workforce;
  readonly capacity: Capacity;
  readonly close: () => Promise<void>;
}

/** This machine, or whoever takes jobs from the queue: what is too much for one worker waits for another. */
async function hire(night: Night, flags: NightlyFlags, display: Display): Promise<Hired> {
  if (flags.queue === undefined) {
    const workforce = localWorkforce({ directory: night.directory, command: ownCommand() });
    return { workforce, capacity: capacityOf(night.plan, flags), close: async () => undefined };
  }
  const { openQueue } = await import("../queue/queue-workforce.ts");
  const workforce = await openQueue(flags.queue, night, display.note);
  const boundless = { memoryBytes: Number.POSITIVE_INFINITY, processors: Number.POSITIVE_INFINITY };
  return { workforce, capacity: boundless, close: () => workforce.close() };
}

function capacityOf(
  plan: Pick<Plan, "memory" | "processors">,
  { memory, processors }: NightlyFlags,
): Capacity {
  return {
    memoryBytes: memory ?? plan.memory ?? memoryShare * totalmem(),
    processors: processors ?? plan.processors ?? availableParallelism(),
  };
}

function exitCodeOfNight({ verdict, ending, jobs }: NightSummary): number {
  if (verdict === "violated") return exitCodes.violated;
  const nothingStarted = jobs.every(({ status }) => status === "could not start");
  return ending === "the disk is full" || nothingStarted ? exitCodes.internal : exitCodeOf(verdict);
}
