import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Verdict } from "../../checkers/index.ts";
import { OperationError } from "../../model/index.ts";
import { RunDirectory, type Manifest } from "../../results/index.ts";
import { noProgress } from "../progress.ts";
import type { RepeatableRun } from "../replay/recorded-flags.ts";
import { prepareRun } from "../run-command.ts";
import { run } from "../run.ts";
import { effective, sizeOf, type Candidate } from "./candidate.ts";

export interface TrialOptions {
  readonly of: RepeatableRun;
  /** The directory of the run that is shrunk. */
  readonly original: string;
  /** The verdict that must be violated again. */
  readonly property: string;
  /** How often a candidate is run before it is taken not to fail: on real servers the same schedule does not always. */
  readonly repeats: number;
  readonly results: string;
  /** Ends the trial that runs, and makes all others fail to fail. */
  readonly over: AbortSignal;
  readonly tell: (line: string) => void;
}

/** The smallest run so far that failed, in the store. */
export interface Found {
  readonly candidate: Candidate;
  readonly directory: RunDirectory;
}

/** Runs candidates, each in a folder that is thrown away, except for the last one that failed: it is kept in the store. */
export class Trials {
  readonly #options: TrialOptions;
  readonly #scratch: string;
  readonly #known = new Map<string, boolean>();
  #found: Found | undefined;
  #runs = 0;

  /** Throws OperationError where the results cannot be written. */
  constructor(options: TrialOptions) {
    this.#options = options;
    this.#scratch = makeScratch(resolve(options.results));
  }

  get found(): Found | undefined {
    return this.#found;
  }

  /** Runs made so far. */
  get runs(): number {
    return this.#runs;
  }

  /** Whether the property is violated in one of the runs of a candidate. What was found out once is remembered. */
  readonly fails = async (wanted: Candidate): Promise<boolean> => {
    const candidate = effective(wanted);
    const key = JSON.stringify(candidate);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    for (let attempt = 0; attempt < this.#options.repeats; attempt++) {
      if (this.#options.over.aborted) return false;
      const directory = await this.#run(candidate);
      if (directory === undefined) continue;
      this.#keep(candidate, directory);
      this.#known.set(key, true);
      return true;
    }
    // A trial that was cut short has found out nothing.
    if (!this.#options.over.aborted) this.#known.set(key, false);
    return false;
  };

  /** Removes what no longer is needed. */
  close(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  /** The run's directory if it failed as it should; else nothing is left of it. */
  async #run(candidate: Candidate): Promise<string | undefined> {
    const { of, over, original, property, tell } = this.#options;
    this.#runs++;
    const flags = {
      ...of.flags,
      seed: of.seed,
      time: candidate.durationMs,
      clients: candidate.clients,
      results: this.#scratch,
    };
    const parameters = { shrunkFrom: original, property };
    try {
      const { schedule } = candidate;
      const request = await prepareRun(of.workload, flags, noProgress, { schedule, parameters });
      const { directory, manifest } = await run({ ...request, report: false }, noProgress, over);
      if (isViolated(manifest, property)) return directory;
      rmSync(directory, { recursive: true, force: true });
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      tell(`trial ${this.#runs} came to nothing: ${error.message}`);
    }
    return undefined;
  }

  #keep(candidate: Candidate, path: string): void {
    const directory = RunDirectory.open(path);
    directory.moveTo(this.#options.results);
    const command = `zabcheck replay ${directory.path}`;
    directory.update({ parameters: { ...directory.manifest.parameters, command } });
    directory.link();
    const before = this.#found;
    this.#found = { candidate, directory };
    before?.directory.discard();
    this.#options.tell(`trial ${this.#runs}: it fails with ${sizeOf(candidate)}`);
  }
}

/** A run that was ended early has not done what its schedule says, and would not be repeated by it. */
function isViolated({ verdicts, status }: Manifest, property: string): boolean {
  return status === "complete" && violated(verdicts).includes(property);
}

/** The names of the verdicts that are violated. */
export function violated(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.filter(({ verdict }) => verdict === "violated").map(({ name }) => name);
}

const scratchName = /^\.shrinking-(\d+)-/;

/** On the results' own file system, so that a run can be moved out of it. What killed processes left is removed. */
function makeScratch(results: string): string {
  try {
    mkdirSync(results, { recursive: true });
    for (const name of readdirSync(results)) {
      const pid = Number(scratchName.exec(name)?.[1] ?? 0);
      if (pid > 0 && !lives(pid)) rmSync(join(results, name), { recursive: true, force: true });
    }
    return mkdtempSync(join(results, `.shrinking-${process.pid}-`));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperationError(
      "RESULTS_UNWRITABLE",
      `${results}: cannot be written: ${reason}`,
      "choose another folder with --results DIR",
      error,
    );
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
