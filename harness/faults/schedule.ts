import fc, { type Arbitrary } from "fast-check";
import { z } from "zod";
import { InputError } from "../../model/index.ts";
import { firstIssue, readJsonFile } from "../json-file.ts";
import type { FaultFamily, Plan } from "./fault-family.ts";
import { families } from "./index.ts";

/** One fault of a schedule: plain JSON. Times in ms since the workload's start. */
export interface ScheduledFault {
  readonly startMs: number;
  readonly holdMs: number;
  /** The family's name. */
  readonly family: string;
  readonly plan: Plan;
}

export type Schedule = readonly ScheduledFault[];

export interface ScheduleBounds {
  readonly durationMs: number;
  /** Voters. */
  readonly servers: number;
  /** 0 by default. */
  readonly observers?: number;
  /** How long a fault is held. */
  readonly holdMs: readonly [min: number, max: number];
  /** From the end of a fault to the start of the next, so that the ensemble may recover. One in six overlaps instead. */
  readonly gapMs: readonly [min: number, max: number];
}

/** The most faults that a schedule may hold, however long it is. */
const faultsMax = 10_000;

/**
 * Schedules within bounds, as fast-check generates (and shrinks) them. The families take turns: each comes once in
 * every round, in an order of its own. The first fault comes after a quiet time, and the last ends before the
 * duration does.
 */
export function schedules(chosen: readonly FaultFamily[], bounds: ScheduleBounds): Arbitrary<Schedule> {
  const plans = chosen.flatMap((family) => {
    const of = family.plans(bounds.servers, bounds.observers ?? 0);
    return of === undefined ? [] : [of.map((plan) => ({ family: family.name, plan }))];
  });
  if (plans.length === 0) return fc.constant([]);
  const [holdMin, holdMax] = bounds.holdMs;
  const [gapMin, gapMax] = bounds.gapMs;
  const average = (holdMin + holdMax + gapMin + gapMax) / 2;
  const length = Math.min(faultsMax, Math.ceil((2 * bounds.durationMs) / Math.max(1, average)) + 1);
  const steps = exactly(
    length,
    fc.record({
      gapMs: fc.oneof(
        { arbitrary: fc.integer({ min: gapMin, max: gapMax }), weight: 5 },
        { arbitrary: fc.integer({ min: -holdMin, max: 0 }), weight: 1 },
      ),
      holdMs: fc.integer({ min: holdMin, max: holdMax }),
    }),
  );
  const order = fc.shuffledSubarray([...plans.keys()], { minLength: plans.length, maxLength: plans.length });
  const round = fc
    .tuple(order, fc.tuple(...plans))
    .map(([turns, drawn]) => turns.map((turn) => drawn[turn]!));
  const rounds = exactly(Math.ceil(length / plans.length), round);
  return fc.tuple(steps, rounds).map(([timing, drawn]) => {
    const turns = drawn.flat();
    const schedule: ScheduledFault[] = [];
    let end = 0;
    for (const [i, { gapMs, holdMs }] of timing.entries()) {
      const startMs = Math.max(0, end + (i === 0 ? Math.abs(gapMs) : gapMs));
      if (startMs + holdMs > bounds.durationMs) break;
      schedule.push({ startMs, holdMs, ...turns[i]! });
      end = startMs + holdMs;
    }
    return schedule;
  });
}

function exactly<T>(length: number, arbitrary: Arbitrary<T>): Arbitrary<T[]> {
  return fc.array(arbitrary, { minLength: length, maxLength: length });
}

/** The schedule of a seed: the same for the same families, bounds and version of fast-check. */
export function drawSchedule(seed: number, chosen: readonly FaultFamily[], bounds: ScheduleBounds): Schedule {
  // A 32-bit seed as fast-check takes it, signed. Unbiased: a bias towards small values would make all faults short.
  return fc.sample(fc.noBias(schedules(chosen, bounds)), { seed: seed | 0, numRuns: 1 })[0] ?? [];
}

const scheduleSchema = z.array(
  z.object({
    startMs: z.number().nonnegative(),
    holdMs: z.number().positive(),
    family: z.string(),
    plan: z.record(z.string(), z.json()),
  }),
);

const form = "a schedule is a list of {startMs, holdMs, family, plan}, as --print-schedule shows";

/** Reads a schedule, or the one in a run's manifest, from a file. Throws InputError with file and place. */
export function readScheduleFile(path: string): Schedule {
  const data = readJsonFile(path, form);
  const isManifest = typeof data === "object" && data !== null && "schedule" in data;
  return readSchedule(isManifest ? data.schedule : data, path);
}

/**
 * Reads a schedule back from a run's manifest or a file.
 * Throws InputError where it is not of the form or names an unknown family.
 */
export function readSchedule(data: unknown, where: string): Schedule {
  const hint = form;
  const parsed = scheduleSchema.max(faultsMax).safeParse(data);
  if (!parsed.success) throw new InputError(`${where}: schedule: ${firstIssue(parsed.error)}`, hint);
  for (const { family } of parsed.data) {
    if (!families.some(({ name }) => name === family)) {
      throw new InputError(
        `${where}: unknown fault '${family}'`,
        `there are: ${families.map((f) => f.name).join(", ")}`,
      );
    }
  }
  return parsed.data as Schedule;
}
