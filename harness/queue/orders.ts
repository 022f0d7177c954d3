import { hostname } from "node:os";
import { basename } from "node:path";
import { z } from "zod";
import { InputError } from "../../model/index.ts";
import type { Job } from "../nightly/job.ts";
import type { Disposition } from "../nightly/job-result.ts";
import { resultSchema } from "../nightly/journal.ts";
import { jobSchema, type Night } from "../nightly/night.ts";

/** What plan and workers say to each other through Redis, and under which names. */

export const queueName: string = "zabcheck";

/** What is left behind of a night that nobody takes up again is gone after a week. */
export const keptSeconds: number = 7 * 86_400;

/** A job of a plan, as it lies in the queue. */
export interface Order {
  /** The plan's version: another one's worker does not take it. */
  readonly zabcheck: string;
  readonly night: string;
  readonly job: Job;
}

/** What lies in Redis of the files that a job has left. */
export interface Parcel {
  readonly key: string;
  readonly chunks: number;
}

/** What came of a job. */
export interface Delivery {
  readonly disposition: Disposition;
  readonly host: string;
  /** Null where it is too large to be sent; the result says where it is then. */
  readonly parcel: Parcel | null;
}

const orderSchema = z.object({
  zabcheck: z.string(),
  night: z.string().regex(/^[\w.+~-]+$/),
  job: jobSchema.refine(({ words: [first] }) => first === "run" || first === "explore"),
});

const deliverySchema: z.ZodType<Delivery> = z.object({
  disposition: z.object({ kind: z.enum(["ended", "could not start"]), result: resultSchema }),
  host: z.string(),
  parcel: z
    .object({ key: z.string().regex(/^zabcheck:parcel:[\w.+~/-]+$/), chunks: z.int().nonnegative() })
    .nullable(),
});

/** Throws InputError for what is no order. */
export function readOrder(data: unknown): Order {
  const parsed = orderSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new InputError("the queue holds what is no job of a plan", "is this Redis used by others?");
}

/** Undefined for what is no delivery. */
export function readDelivery(data: unknown): Delivery | undefined {
  return deliverySchema.safeParse(data).data;
}

/** Names a night among all that use this Redis. */
export function nightId({ name, directory }: Pick<Night, "name" | "directory">): string {
  return `${name}.${basename(directory)}`;
}

/** A job has one entry in the queue, however often its plan is taken up. */
export function entryId(night: string, job: Job): string {
  return `${night}.${job.id}`;
}

/** Exists when the jobs of a night that are under way are to end. */
export function stopKey(night: string): string {
  return `zabcheck:stop:${night}`;
}

/** Differs between two workers at the same job: of one that was thought lost nothing is taken. */
export function parcelKey(entry: string, unique: string): string {
  return `zabcheck:parcel:${entry}/${unique}`;
}

/** As a worker is told to people. */
export function thisHost(): string {
  return `${hostname()}/${process.pid}`;
}
