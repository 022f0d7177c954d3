import { availableParallelism, totalmem } from "node:os";
import { WaitingError, Worker, type Job as Entry } from "bullmq";
import type { Redis } from "ioredis";
import { OperationError } from "../../model/index.ts";
import type { WorkerFlags } from "../commands/worker.ts";
import { withInterruption } from "../interruption.ts";
import { nextJob, type Capacity } from "../nightly/admission.ts";
import { lineOf } from "../nightly/display.ts";
import { doJob } from "../nightly/do-job.ts";
import type { Disposition } from "../nightly/job-result.ts";
import { memoryShare } from "../nightly/nightly-command.ts";
import { ownCommand } from "../own-command.ts";
import { version } from "../version.ts";
import { connectRedis } from "./address.ts";
import { parcelKey, queueName, readOrder, stopKey, thisHost, type Delivery, type Order } from "./orders.ts";
import { ParcelTooLarge, sendFolder } from "./parcel.ts";
import { keepForGood, makeWorkplace, removeWorkplace, sweepWorkplaces } from "./workplaces.ts";

/** A job may lose its worker so often; then it is what ends them, and is given up. */
const lostMax = 2;
/** How often it is looked whether a plan wants its jobs to end. */
const lookMs = 1000;

/**
 * `zabcheck worker`: takes jobs of plans from a queue, as many at a time as memory and processors allow, until it is
 * interrupted; then what it was at goes back to the queue. Exit code 0, 70 where no Redis answers or a plan is of
 * another version.
 */
export async function workerCommand(flags: WorkerFlags): Promise<void> {
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const redis = await connectRedis(flags.queue, tell);
  sweepWorkplaces(flags.results);
  const host = new Host(redis, flags, tell);
  try {
    tell(`${thisHost()}, zabcheck ${version()}, takes jobs from ${flags.queue.shown}`);
    await withInterruption((interruption) => host.serve(interruption), tell);
  } finally {
    redis.disconnect();
  }
}

interface UnderWay {
  readonly order: Order;
  /** Ends the job. */
  readonly stop: AbortController;
  /** Stopped by its plan, to which what there is is delivered; else the job goes back. */
  byPlan: boolean;
  /** Another worker may have it. */
  isLost: boolean;
}

class Host {
  readonly #redis: Redis;
  readonly #worker: Worker;
  readonly #capacity: Capacity;
  readonly #results: string;
  readonly #tell: (line: string) => void;
  readonly #underWay = new Map<string, UnderWay>();
  #refusal: OperationError | undefined;
  #leave: () => void = () => undefined;
  #done = 0;

  constructor(redis: Redis, flags: WorkerFlags, tell: (line: string) => void) {
    this.#redis = redis;
    this.#results = flags.results;
    this.#tell = tell;
    const processors = flags.processors ?? availableParallelism();
    this.#capacity = { processors, memoryBytes: flags.memory ?? memoryShare * totalmem() };
    this.#worker = new Worker(
      queueName,
      (entry, token, signal) => this.#process(entry, token ?? "", signal),
      {
        connection: redis,
        autorun: false,
        name: `zabcheck-${version()}`,
        concurrency: processors,
        lockDuration: flags.lock,
        stalledInterval: Math.max(500, flags.lock / 2),
        maxStalledCount: lostMax,
      },
    );
    // Of the connection the one that was made first tells; of a lost lock the next event.
    this.#worker.on("error", () => undefined);
    this.#worker.on("lockRenewalFailed", (ids) => {
      for (const id of ids) this.#lost(id);
    });
  }

  /** Resolves when it was interrupted and all that was under way has ended. Throws OperationError for plans of another version. */
  async serve(interruption: AbortSignal): Promise<void> {
    const left = new Promise<void>((resolve) => (this.#leave = resolve));
    const end = (): void => {
      this.#leave();
      for (const { stop } of this.#underWay.values()) stop.abort();
    };
    interruption.addEventListener("abort", end);
    if (interruption.aborted) end();
    const timer = setInterval(() => void this.#lookForStops().catch(() => undefined), lookMs);
    void this.#worker.run();
    try {
      await left;
      await this.#worker.close();
    } finally {
      clearInterval(timer);
      interruption.removeEventListener("abort", end);
    }
    if (this.#refusal !== undefined) throw this.#refusal;
    this.#tell(`${this.#done} jobs were done here`);
  }

  async #process(entry: Entry, token: string, signal?: AbortSignal): Promise<Delivery> {
    const order = readOrder(entry.data);
    const { job } = order;
    if (order.zabcheck !== version()) {
      this.#refuse(order);
      return giveBack(entry, token);
    }
    if (this.#refusal !== undefined) return giveBack(entry, token);
    const running = [...this.#underWay.values()].map(({ order: { job: each } }) => each);
    if (nextJob([job], running, this.#capacity) === undefined) {
      // Another host may have room for it. Nothing is taken here before one of these has ended.
      await this.#worker.pause(true);
      return giveBack(entry, token);
    }
    const underWay: UnderWay = { order, stop: new AbortController(), byPlan: false, isLost: false };
    signal?.addEventListener("abort", () => underWay.stop.abort());
    this.#underWay.set(entry.id ?? "", underWay);
    try {
      await this.#lookForStops();
      return await this.#do(entry, token, underWay);
    } finally {
      this.#underWay.delete(entry.id ?? "");
      if (this.#worker.isPaused()) await this.#worker.resume();
    }
  }

  async #do(entry: Entry, token: string, underWay: UnderWay): Promise<Delivery> {
    const { order, stop } = underWay;
    const { job } = order;
    await entry.updateProgress(thisHost());
    const directory = makeWorkplace(this.#results);
    try {
      const disposition = await doJob(job, { directory, command: ownCommand() }, stop.signal);
      const { result } = disposition;
      // The queue refuses whatever becomes of it here.
      if (underWay.isLost) throw new Error(`${job.id} is another worker's`);
      const isHalf = result.status === "ended early" && result.verdict !== "violated";
      if (isHalf && !underWay.byPlan) {
        this.#tell(`${job.id} goes back to the queue`);
        return await giveBack(entry, token);
      }
      const delivery = await this.#deliver(order, disposition, directory, token);
      this.#done++;
      this.#tell(lineOf(job, delivery.disposition.result));
      return delivery;
    } finally {
      removeWorkplace(directory);
    }
  }

  async #deliver(
    { night, job }: Order,
    disposition: Disposition,
    directory: string,
    token: string,
  ): Promise<Delivery> {
    const host = thisHost();
    try {
      const key = parcelKey(`${night}.${job.id}`, token.replaceAll(/[^\w-]/g, ""));
      return { disposition, host, parcel: await sendFolder(this.#redis, key, directory) };
    } catch (error) {
      if (!(error instanceof ParcelTooLarge)) throw error;
      const kept = keepForGood(directory, job.id);
      const detail = `what it left is too large to be sent, and kept at ${host} in ${kept}`;
      const { result } = disposition;
      const told = { ...result, directory: null, detail: [result.detail, detail].filter(Boolean).join("; ") };
      return { disposition: { ...disposition, result: told }, host, parcel: null };
    }
  }

  /** Somebody else may have the job by now. */
  #lost(id: string): void {
    const underWay = this.#underWay.get(id);
    if (underWay === undefined || underWay.stop.signal.aborted) return;
    this.#tell(
      `${underWay.order.job.id} was lost to another worker, as the queue did not hear from this one`,
    );
    underWay.isLost = true;
    underWay.stop.abort();
  }

  async #lookForStops(): Promise<void> {
    const underWay = [...this.#underWay.values()].filter(({ stop }) => !stop.signal.aborted);
    if (underWay.length === 0) return;
    const stops = await this.#redis.mget(underWay.map(({ order }) => stopKey(order.night)));
    for (const [i, each] of underWay.entries()) {
      if (stops[i] === null || stops[i] === undefined) continue;
      each.byPlan = true;
      each.stop.abort();
    }
  }

  /** Two versions may mean different things by the same words. */
  #refuse({ zabcheck, night }: Order): void {
    this.#refusal ??= new OperationError(
      "VERSION",
      `the plan ${night} is of zabcheck ${zabcheck}, this worker of ${version()}`,
      "install the same version on both sides",
    );
    this.#leave();
  }
}

/** As if it had never been taken. */
async function giveBack(entry: Entry, token: string): Promise<never> {
  await entry.moveToWait(token);
  throw new WaitingError();
}
