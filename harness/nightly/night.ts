import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { livenessOf } from "../../clusters/index.ts";
import { OperationError } from "../../model/index.ts";
import { makeNightDirectory, nightFiles, nightsOf, writeAtomically } from "../../results/index.ts";
import { version } from "../version.ts";
import { jobsOf } from "./expand.ts";
import type { Job } from "./job.ts";
import { readJournal, type NightState } from "./journal.ts";
import { parsePlan, type Plan, type WrittenPlan } from "./plan.ts";

/** One carrying out of a plan, as it is on disk. */
export interface Night {
  readonly directory: string;
  readonly name: string;
  readonly written: WrittenPlan;
  readonly plan: Plan;
  readonly seed: number;
  readonly startedAt: string;
  readonly jobs: readonly Job[];
  readonly zabcheck: string;
}

export const jobSchema: z.ZodType<Job> = z.object({
  id: z.string().regex(/^[\w.+~-]+$/),
  subject: z.object({
    kind: z.enum(["run", "exploration"]),
    name: z.string(),
    where: z.string(),
    faults: z.string(),
    seed: z.int().nullable(),
  }),
  words: z.array(z.string()),
  expectedMs: z.number(),
  limitMs: z.number(),
  graceMs: z.number(),
  memoryBytes: z.number(),
  processBytes: z.number(),
  processors: z.number(),
  usesDocker: z.boolean(),
});

const nightSchema = z.object({
  format: z.literal("zabcheck-night"),
  formatVersion: z.literal(1),
  zabcheck: z.string(),
  name: z.string(),
  seed: z.int().nonnegative(),
  startedAt: z.iso.datetime(),
  plan: z.record(z.string(), z.json()),
  jobs: z.array(jobSchema),
});

export interface NightWish {
  readonly results: string;
  readonly name: string;
  readonly written: WrittenPlan;
  /** Undefined: a new one, or that of the night that goes on. */
  readonly seed: number | undefined;
  /** Do not go on with a night that was not finished. */
  readonly fresh: boolean;
}

/**
 * The night to work at: the last one of this plan if it was not finished, else a new one. Its jobs are written down
 * before any of them is done, so that a later version of zabcheck goes on with the same.
 * Throws OperationError where another process works at it.
 */
export async function openNight(
  wish: NightWish,
): Promise<{ readonly night: Night; readonly state: NightState | undefined }> {
  const { results, name, written, fresh } = wish;
  const last = nightsOf(results, name).at(-1);
  const plan = await parsePlan(written, "the plan");
  const begun = last === undefined || fresh ? undefined : readNight(last);
  if (begun !== undefined && isDeepStrictEqual(begun.written, written)) {
    const night = { ...begun, plan };
    const state = readJournal(join(night.directory, nightFiles.journal));
    const sameSeed = wish.seed === undefined || wish.seed === night.seed;
    if (!state.finished && sameSeed) {
      refuseIfAlive(night, state);
      return { night, state };
    }
  }
  return { night: makeNight(wish, plan), state: undefined };
}

function makeNight({ results, name, written, seed: wished }: NightWish, plan: Plan): Night {
  const seed = wished ?? randomBytes(4).readUInt32BE();
  const startedAt = new Date().toISOString();
  const jobs = jobsOf(plan, seed);
  const directory = makeNightDirectory(results, name, startedAt, seed);
  const zabcheck = version();
  const content = {
    format: "zabcheck-night",
    formatVersion: 1,
    ...{ zabcheck, name, seed, startedAt, plan: written, jobs },
  };
  writeAtomically(join(directory, nightFiles.night), `${JSON.stringify(content, null, 1)}\n`);
  return { directory, name, written, plan, seed, startedAt, jobs, zabcheck };
}

/** A night as it was begun; undefined where it was cut off before it was written down. */
function readNight(directory: string): Omit<Night, "plan"> | undefined {
  const path = join(directory, nightFiles.night);
  if (!existsSync(path)) return undefined;
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
  const parsed = nightSchema.safeParse(data);
  if (!parsed.success) return undefined;
  const { name, seed, startedAt, jobs, zabcheck, plan } = parsed.data;
  return { directory, name, written: plan as WrittenPlan, seed, startedAt, jobs, zabcheck };
}

function refuseIfAlive({ directory, name }: Night, { owner }: NightState): void {
  if (owner === undefined || owner.pid === process.pid || livenessOf(owner) !== "alive") return;
  throw new OperationError(
    "night-in-use",
    `process ${owner.pid} works at the plan '${name}' (${directory})`,
    "wait for it, end it, or begin another night with --fresh",
  );
}
