import { setTimeout as sleep } from "node:timers/promises";
import { Queue, QueueEvents, type Job as Entry } from "bullmq";
import type { Redis } from "ioredis";
import type { Job } from "../nightly/job.ts";
import { notRun, type Disposition } from "../nightly/job-result.ts";
import type { Night } from "../nightly/night.ts";
import type { JobEvents, Workforce } from "../nightly/workforce.ts";
import { version } from "../version.ts";
import { connectRedis, type QueueAddress } from "./address.ts";
import {
  entryId,
  keptSeconds,
  nightId,
  queueName,
  readDelivery,
  stopKey,
  type Delivery,
  type Order,
} from "./orders.ts";
import { takeParcel } from "./parcel.ts";

/** Events wake it at once; this often it looks all the same, as events can be lost with a connection. */
const lookMs = 3000;
/** A worker that was asked to end a job has its grace and this long to send what it has. */
const sendMs = 120_000;
/** What is asked of Redis at the end is not waited for longer, as it may be away. */
const goodbyeMs = 10_000;
/** How long nobody may be there to work before it is told. */
const lonelyMs = 10_000;

interface Waiting {
  readonly job: Job;
  readonly events: JobEvents;
  readonly resolve: (disposition: Disposition | undefined) => void;
  readonly reject: (error: unknown) => void;
  /** Whether a look is under way. */
  looking: boolean;
}

/**
 * Has the jobs of a night done by workers that take them from a queue on Redis (BullMQ). Each is put there once: who
 * takes the night up again finds what was done meanwhile. A worker that falls silent loses its job to another; what
 * it may still come to is not taken.
 */
export class QueueWorkforce implements Workforce {
  readonly #redis: Redis;
  readonly #night: Pick<Night, "directory" | "name">;
  readonly #id: string;
  readonly #queue: Queue;
  readonly #events: QueueEvents;
  readonly #waiting = new Map<string, Waiting>();
  readonly #tell: (line: string) => void;
  readonly #timer: NodeJS.Timeout;
  #lonelySinceMs: number | undefined;

  constructor(redis: Redis, night: Pick<Night, "directory" | "name">, tell: (line: string) => void) {
    this.#redis = redis;
    this.#night = night;
    this.#id = nightId(night);
    this.#tell = tell;
    this.#queue = new Queue(queueName, { connection: redis });
    this.#events = new QueueEvents(queueName, { connection: redis.duplicate() });
    // Of connections the one that was made first tells.
    this.#queue.on("error", () => undefined);
    this.#events.on("error", () => undefined);
    this.#events.on("progress", ({ jobId, data }) => {
      const waiting = this.#waiting.get(jobId);
      if (waiting === undefined) return;
      waiting.events.started();
      this.#tell(`${waiting.job.id} was taken by ${String(data)}`);
    });
    this.#events.on("stalled", ({ jobId }) => {
      const waiting = this.#waiting.get(jobId);
      if (waiting !== undefined) this.#tell(`${waiting.job.id}: its worker is silent; another one takes it`);
    });
    for (const event of ["completed", "failed"] as const)
      this.#events.on(event, ({ jobId }: { jobId: string }) => void this.#look(jobId));
    this.#timer = setInterval(() => void this.#lookAtAll(), lookMs);
  }

  /** Where the last session of this night stopped its jobs, they may be done again. */
  async open(): Promise<void> {
    await this.#events.waitUntilReady();
    await this.#redis.del(stopKey(this.#id));
  }

  async perform(job: Job, stop: AbortSignal, events: JobEvents): Promise<Disposition | undefined> {
    const entry = entryId(this.#id, job);
    const done = new Promise<Disposition | undefined>((resolve, reject) => {
      this.#waiting.set(entry, { job, events, resolve, reject, looking: false });
    });
    const onStop = (): void => void this.#stop(entry);
    stop.addEventListener("abort", onStop, { once: true });
    try {
      await this.#put(job);
      if (stop.aborted) onStop();
      // It may have been done while nobody waited for it.
      await this.#look(entry);
      return await done;
    } finally {
      stop.removeEventListener("abort", onStop);
      this.#waiting.delete(entry);
    }
  }

  async settled(job: Job): Promise<void> {
    await inTime(this.#forget(entryId(this.#id, job)));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await inTime(Promise.all([this.#events.close(), this.#queue.close()]));
    this.#redis.disconnect();
  }

  /** Nothing happens where it is there already. */
  async #put(job: Job): Promise<void> {
    const order: Order = { zabcheck: version(), night: this.#id, job };
    const keep = { age: keptSeconds };
    await this.#queue.add(job.id, order, {
      jobId: entryId(this.#id, job),
      removeOnComplete: keep,
      removeOnFail: keep,
    });
  }

  async #lookAtAll(): Promise<void> {
    if (this.#redis.status !== "ready" || this.#waiting.size === 0) return;
    for (const entry of this.#waiting.keys()) await this.#look(entry);
    await this.#lookForWorkers().catch(() => undefined);
  }

  async #lookForWorkers(): Promise<void> {
    if ((await this.#queue.getWorkersCount()) > 0) {
      this.#lonelySinceMs = undefined;
      return;
    }
    const nowMs = performance.now();
    this.#lonelySinceMs ??= nowMs;
    if (nowMs - this.#lonelySinceMs < lonelyMs) return;
    this.#tell("nobody takes jobs from the queue; start: zabcheck worker --queue URL");
    // Not again before another worker came and went.
    this.#lonelySinceMs = Number.POSITIVE_INFINITY;
  }

  /** Resolves the job if it is over. */
  async #look(id: string): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || waiting.looking) return;
    waiting.looking = true;
    try {
      const entry = (await this.#queue.getJob(id)) as Entry | undefined;
      // A Redis that was restarted without what it knew.
      if (entry === undefined) await this.#put(waiting.job);
      else if (entry.finishedOn !== undefined) waiting.resolve(await this.#dispositionOf(waiting.job, entry));
    } catch (error) {
      waiting.reject(error);
    } finally {
      waiting.looking = false;
    }
  }

  async #dispositionOf(job: Job, entry: Entry): Promise<Disposition> {
    const crashed = (detail: string): Disposition => ({
      kind: "ended",
      result: { ...notRun(job, detail), status: "crashed" },
    });
    if (entry.failedReason) {
      const isLost = entry.failedReason.includes("stalled more than");
      return crashed(
        isLost ? `${entry.stalledCounter} workers were lost while they did it` : entry.failedReason,
      );
    }
    const delivery = readDelivery(entry.returnvalue);
    if (delivery === undefined) return crashed("what its worker sent is no result");
    return this.#take(job, delivery);
  }

  async #take(job: Job, { disposition, parcel, host }: Delivery): Promise<Disposition> {
    if (parcel === null) return disposition;
    if (await takeParcel(this.#redis, parcel, this.#night.directory)) return disposition;
    const detail = `what it left at ${host} did not come through the queue`;
    return {
      kind: "could not start",
      result: { ...notRun(job, detail), status: "could not start" },
    };
  }

  /** A job that waits is withdrawn; one that is under way is asked to end and has some time to. */
  async #stop(id: string): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    const deadlineMs = performance.now() + waiting.job.graceMs + sendMs;
    // Again and again, as its worker may be gone.
    while (this.#waiting.get(id) === waiting && performance.now() < deadlineMs) {
      if ((await inTime(this.#withdraw(id))) !== false) break;
      await sleep(lookMs, undefined, { ref: false });
    }
    waiting.resolve(undefined);
  }

  /** False where a worker that is heard of has it, or it is done. */
  async #withdraw(id: string): Promise<boolean> {
    await this.#redis.set(stopKey(this.#id), "1", "EX", keptSeconds);
    const entry = (await this.#queue.getJob(id)) as Entry | undefined;
    if (entry === undefined) return true;
    if (entry.finishedOn !== undefined) return false;
    return entry.remove().then(
      () => true,
      // It is locked by who works at it.
      () => false,
    );
  }

  async #forget(id: string): Promise<void> {
    const entry = (await this.#queue.getJob(id)) as Entry | undefined;
    const key = readDelivery(entry?.returnvalue)?.parcel?.key;
    if (key !== undefined) await this.#redis.del(key);
    // Where a worker still has it, it is gone a week after it ends.
    await entry?.remove().catch(() => undefined);
  }
}

/** Throws OperationError where no Redis answers. */
export async function openQueue(
  address: QueueAddress,
  night: Pick<Night, "directory" | "name">,
  tell: (line: string) => void,
): Promise<QueueWorkforce> {
  const workforce = new QueueWorkforce(await connectRedis(address, tell), night, tell);
  await workforce.open();
  return workforce;
}

/** What was asked of Redis, or undefined where it is away for too long or has failed. */
async function inTime<T>(asked: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  const late = sleep(goodbyeMs, undefined, { signal: over.signal }).catch(() => undefined);
  try {
    return await Promise.race([asked, late]);
  } catch {
    return undefined;
  } finally {
    over.abort();
  }
}
