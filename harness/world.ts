import type { Cluster } from "../clusters/index.ts";
import { settlingDraft } from "../model/index.ts";
import type { HistoryRecorder, Recorded } from "../results/index.ts";
import { Random } from "./random.ts";

export interface WorldOptions {
  readonly cluster: Cluster;
  readonly recorder: HistoryRecorder;
  readonly seed: number;
  /** Workers that run the workload; one more process sets things up. */
  readonly workers: number;
  /** Operations a second over all workers; 0 as fast as answers come. */
  readonly rate: number;
  readonly sessionTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** What everyone in a run shares: the ensemble, its time, the history, the seed, and whether to go on. */
export class World {
  readonly cluster: Cluster;
  readonly recorder: HistoryRecorder;
  readonly options: WorldOptions;
  /** The history's time 0: on the cluster's clock, and on the wall. */
  readonly startNs: number;
  readonly startedAtMs: number = Date.now();
  #stopping = false;
  /** While clients settle they may begin operations again, until then. */
  #settlingUntilNs = -Infinity;
  #operations = 0;
  #answered = 0;

  constructor(options: WorldOptions) {
    this.options = options;
    this.cluster = options.cluster;
    this.recorder = options.recorder;
    this.startNs = options.cluster.clock.now();
  }

  /** True from the moment at which no new operation is to begin. */
  get stopping(): boolean {
    return this.#stopping && this.cluster.clock.now() >= this.#settlingUntilNs;
  }

  stop(): void {
    this.#stopping = true;
  }

  /** Once faults are undone: clients finish what they have begun, for so long at most, or until `settled`. */
  settle(forMs: number): void {
    this.#settlingUntilNs = this.cluster.clock.now() + forMs * 1e6;
    this.record(settlingDraft("settling"));
  }

  settled(): void {
    this.#settlingUntilNs = -Infinity;
    this.record(settlingDraft("settled"));
  }

  /** Operations invoked so far. */
  get operations(): number {
    return this.#operations;
  }

  /** Operations that were answered, ok or by a definite error. */
  get answered(): number {
    return this.#answered;
  }

  random(stream: string): Random {
    return new Random(this.options.seed, stream);
  }

  /** Nanoseconds since the run's start, as events tell it. */
  now(): number {
    return this.cluster.clock.now() - this.startNs;
  }

  /** Appends an event at the present time. */
  record(event: Omit<Recorded, "time">): void {
    this.recorder.append({ time: this.now(), ...event });
    if (typeof event.process !== "number") return;
    if (event.type === "invoke") this.#operations++;
    else if (event.type !== "info") this.#answered++;
  }

  /** The number of the process that follows one whose operation ended `info`, as in Jepsen: the worker is its remainder. */
  successor(process: number): number {
    return process + this.options.workers + 1;
  }

  sleep(ms: number): Promise<void> {
    return this.cluster.clock.sleep(ms);
  }
}
