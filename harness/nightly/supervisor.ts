import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { livenessOf, thisOwner, type Owner } from "../../clusters/index.ts";
import { OperationError } from "../../model/index.ts";
import { nightFiles, type NightEnding } from "../../results/index.ts";
import { nextJob, type Capacity } from "./admission.ts";
import { killGroup } from "./child.ts";
import { freeBytes, freeBytesMin, Reserve } from "./disk-space.ts";
import type { Job } from "./job.ts";
import { notRun, resultLeft, type Disposition } from "./job-result.ts";
import { Journal, type JobResult, type JournalLine, type NightState } from "./journal.ts";
import type { Night } from "./night.ts";
import type { Workforce } from "./workforce.ts";

/** Told of what happens, for the display. */
export interface Observer {
  started(job: Job): void;
  postponed(job: Job, reason: string): void;
  ended(job: Job, result: JobResult): void;
  note(line: string): void;
}

export interface SupervisorOptions {
  readonly night: Night;
  /** What earlier sessions did; undefined for a new night. */
  readonly state: NightState | undefined;
  readonly workforce: Workforce;
  readonly capacity: Capacity;
  /** Of the whole night, in ms; undefined: as long as it takes. */
  readonly budgetMs: number | undefined;
  readonly interruption: AbortSignal;
  readonly observer: Observer;
  /** Makes room on the disk; called when it runs out. */
  readonly makeRoom: () => void;
  /** For tests: what is free, and how much must be. */
  readonly free?: (folder: string) => number;
  readonly freeBytesMin?: number;
  readonly backoffMs?: number;
}

export interface NightOutcome {
  readonly ending: NightEnding;
  /** Of every job of the night. */
  readonly results: ReadonlyMap<string, JobResult>;
  readonly starts: ReadonlyMap<string, number>;
}

/** Waits before a job that could not start is started again: as long, then twice as long, ... */
const backoffUsualMs = 2000;
const backoffMsMax = 60_000;
const idleMs = 1000;
/** Of setTimeout: three weeks and a half. */
const timerMsMax = 2 ** 31 - 1;

/**
 * Does a night's jobs, as many at a time as memory and processors allow, and writes each step into the journal before
 * it is taken. Whatever happens to a job happens to its process. The night ends early when it is interrupted, when its
 * time is up, or when the disk is full; then those that run are asked to end, and keep what they have.
 */
export async function supervise(options: SupervisorOptions): Promise<NightOutcome> {
  const supervisor = new Supervisor(options);
  return supervisor.run();
}

class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #journal: Journal;
  readonly #reserve: Reserve;
  readonly #results: Map<string, JobResult>;
  readonly #starts: Map<string, number>;
  readonly #postponed: Map<string, number>;
  readonly #running = new Map<Job, Promise<void>>();
  readonly #stop = new AbortController();
  #waiting: { readonly job: Job; readonly notBeforeMs: number }[] = [];
  #ending: NightEnding | undefined;
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(options: SupervisorOptions) {
    const { night, state } = options;
    this.#options = options;
    this.#reserve = new Reserve(night.directory);
    this.#journal = new Journal(join(night.directory, nightFiles.journal));
    this.#results = new Map(state?.results);
    this.#starts = new Map(state?.starts);
    this.#postponed = new Map(state?.postponed);
  }

  async run(): Promise<NightOutcome> {
    const { night, state, interruption, budgetMs } = this.#options;
    this.#write({ event: "session", at: now(), owner: thisOwner() });
    this.#reserve.take();
    const interrupted = (): void => this.#end("ended early");
    interruption.addEventListener("abort", interrupted);
    if (interruption.aborted) interrupted();
    const leftMs = budgetMs === undefined ? undefined : Math.max(0, budgetMs - (state?.activeMs ?? 0));
    if (leftMs !== undefined) this.#deadlineMs = performance.now() + leftMs;
    const timer =
      leftMs === undefined
        ? undefined
        : setTimeout(() => this.#end("out of time"), Math.min(timerMsMax, leftMs));
    try {
      await this.#takeUp(state);
      this.#waiting = night.jobs
        .filter(({ id }) => !this.#results.has(id))
        .map((job) => ({ job, notBeforeMs: 0 }));
      await this.#work();
      return this.#close();
    } finally {
      clearTimeout(timer);
      interruption.removeEventListener("abort", interrupted);
      this.#reserve.release();
      this.#journal.close();
    }
  }

  /** What an earlier session left under way: its processes are ended, and what they came to counts. */
  async #takeUp(state: NightState | undefined): Promise<void> {
    const { night, observer } = this.#options;
    await Promise.all(
      [...(state?.underWay ?? [])].map(async ([id, owner]) => {
        const job = night.jobs.find((each) => each.id === id);
        if (job === undefined) return;
        if (owner !== null) await endOrphan(owner, job.graceMs);
        const result = resultLeft(job, night.directory);
        if (result === undefined) observer.note(`${id} was cut off: it is done again`);
        else this.#record(job, result);
      }),
    );
  }

  async #work(): Promise<void> {
    for (;;) {
      while (this.#ending === undefined && this.#startNext());
      const waits = this.#waiting.length > 0 && this.#ending === undefined;
      if (this.#running.size === 0 && !waits) return;
      await Promise.race([...this.#running.values(), ...(waits ? [sleep(idleMs)] : [])]);
    }
  }

  /** False where none can begin now. A job that would not end in time is not begun. */
  #startNext(): boolean {
    const { capacity } = this.#options;
    const nowMs = performance.now();
    const inTime = this.#waiting.filter(({ job }) => nowMs + job.expectedMs <= this.#deadlineMs);
    if (inTime.length === 0 && this.#waiting.length > 0 && this.#running.size === 0) this.#end("out of time");
    const ready = inTime.filter(({ notBeforeMs }) => notBeforeMs <= nowMs).map(({ job }) => job);
    const job = nextJob(ready, [...this.#running.keys()], capacity);
    if (job === undefined || !this.#hasRoom()) return false;
    this.#waiting = this.#waiting.filter((each) => each.job !== job);
    this.#running.set(job, this.#do(job));
    return true;
  }

  async #do(job: Job): Promise<void> {
    const { workforce, observer } = this.#options;
    const started = (): void => {
      this.#write({ event: "started", at: now(), job: job.id });
      this.#starts.set(job.id, (this.#starts.get(job.id) ?? 0) + 1);
      observer.started(job);
    };
    const running = (pid: number): void =>
      this.#write({ event: "running", at: now(), job: job.id, owner: thisOwner(pid) });
    try {
      const done = workforce.perform(job, this.#stop.signal, { started, running });
      const disposition = await done.catch((error: unknown) => failed(job, error));
      if (disposition !== undefined) this.#settle(job, disposition);
      await workforce.settled(job);
    } finally {
      this.#running.delete(job);
    }
  }

  /** Where the disk is full the space that was kept back is used. */
  #write(line: JournalLine): void {
    try {
      this.#journal.write(line);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#reserve.release();
      this.#end("the disk is full");
      this.#journal.write(line);
    }
  }

  #settle(job: Job, disposition: Disposition): void {
    const { night, observer, backoffMs = backoffUsualMs } = this.#options;
    const { kind, result } = disposition;
    // What a full disk did to a job is no finding: it is done again when there is room.
    if (result.status !== "done" && result.verdict !== "violated" && !this.#hasRoom()) return;
    if (result.status === "ended early" && result.verdict !== "violated" && this.#goesOn()) return;
    if (kind === "ended") return this.#record(job, result);
    const failures = (this.#postponed.get(job.id) ?? 0) + 1;
    this.#postponed.set(job.id, failures);
    if (failures >= night.plan.attempts) return this.#record(job, result);
    this.#write({ event: "postponed", at: now(), job: job.id, reason: result.detail });
    observer.postponed(job, result.detail);
    const waitMs = Math.min(backoffMsMax, backoffMs * 2 ** (failures - 1));
    this.#waiting.push({ job, notBeforeMs: performance.now() + waitMs });
  }

  #record(job: Job, result: JobResult): void {
    this.#write({ event: "ended", at: now(), job: job.id, result });
    this.#results.set(job.id, result);
    this.#options.observer.ended(job, result);
  }

  /** Whether the night is to go on another time, with what was ended now. */
  #goesOn(): boolean {
    return this.#ending === "ended early" || this.#ending === "the disk is full";
  }

  #hasRoom(): boolean {
    const { night, makeRoom, free = freeBytes, freeBytesMin: min = freeBytesMin } = this.#options;
    if (free(night.directory) >= min) return true;
    makeRoom();
    if (free(night.directory) >= min) return true;
    this.#reserve.release();
    this.#end("the disk is full");
    return false;
  }

  #end(ending: NightEnding): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#stop.abort();
  }

  #close(): NightOutcome {
    const { night } = this.#options;
    const ending = this.#ending ?? "finished";
    if (!this.#goesOn()) this.#write({ event: "finished", at: now() });
    const results = new Map(this.#results);
    const reason = ending === "out of time" ? "there was no time left for it" : ending;
    for (const job of night.jobs) {
      if (!results.has(job.id)) results.set(job.id, notRun(job, reason));
    }
    return { ending, results, starts: this.#starts };
  }
}

/** Whatever goes wrong around a job is that job's. */
function failed(job: Job, error: unknown): Disposition {
  const reason = error instanceof Error ? error.message : String(error);
  return { kind: "ended", result: { ...notRun(job, reason), status: "crashed" } };
}

const lookMs = 200;

/** A process that lost its supervisor ends itself; one that does not is killed. Only one that surely is it. */
async function endOrphan(owner: Owner, graceMs: number): Promise<void> {
  const isOurs = owner.start !== "";
  const deadline = performance.now() + graceMs;
  while (isOurs && livenessOf(owner) === "alive") {
    if (performance.now() > deadline) {
      killGroup(owner.pid);
      return;
    }
    await sleep(lookMs);
  }
}

function now(): string {
  return new Date().toISOString();
}
