import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Verdict } from "../../checkers/index.ts";
import type { Event } from "../../model/index.ts";
import { readHistory } from "../../results/index.ts";
import type { RunFlags } from "../commands/run.ts";
import { noProgress } from "../progress.ts";
import { prepareRun } from "../run-command.ts";
import { run } from "../run.ts";

/** What a run in virtual time came to. */
export interface Trial {
  readonly verdicts: readonly Verdict[];
  readonly events: readonly Event[];
  /** "holds", "violated", "unknown", "vacuous", or "missing". */
  outcome(name: string): string;
  /** The names of the verdicts that are violated. */
  readonly violated: readonly string[];
}

/** A run on the embedded ensemble, as the command line would make it. */
export async function trial(name: string, flags: Partial<RunFlags> = {}): Promise<Trial> {
  const results = mkdtempSync(join(tmpdir(), "zabcheck-trial-"));
  try {
    const whole: RunFlags = {
      cluster: "embedded",
      servers: 3,
      faults: "none",
      time: 8000,
      seed: 1,
      clients: 6,
      rate: 500,
      sessionTimeout: 2000,
      option: {},
      results,
      ...flags,
    };
    const request = await prepareRun(name, whole, noProgress);
    const { history, manifest } = await run(
      { ...request, report: false },
      noProgress,
      new AbortController().signal,
    );
    const { events } = await readHistory(history);
    const { verdicts } = manifest;
    return {
      verdicts,
      events,
      outcome(of) {
        const found = verdicts.find((verdict) => verdict.name === of);
        return found === undefined ? "missing" : found.vacuous === true ? "vacuous" : found.verdict;
      },
      violated: verdicts.filter(({ verdict }) => verdict === "violated").map(({ name: broken }) => broken),
    };
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

/** Faults under which sessions move and expire, and leaders are deposed. */
export const trouble = "partition,kill,pause";
