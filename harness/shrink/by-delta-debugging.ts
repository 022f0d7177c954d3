import { effective, type Candidate, type Fails } from "./candidate.ts";

/**
 * A part of `items` that still fails and of which no single item can be left out: ddmin of Zeller and Hildebrandt,
 * "Simplifying and Isolating Failure-Inducing Input" (IEEE TSE 28(2), 2002), figure 5. `items` themselves fail.
 *
 * Differs: what was tried is not tried again (`fails` remembers), and the empty part is tried first, as many a failure
 * needs none of them. `isOver` ends it early.
 */
export async function ddmin<T>(
  items: readonly T[],
  fails: (part: readonly T[]) => Promise<boolean>,
  isOver: () => boolean = () => false,
): Promise<readonly T[]> {
  if (items.length === 0 || (!isOver() && (await fails([])))) return [];
  let failing = items;
  let granularity = 2;
  while (failing.length >= 2 && !isOver()) {
    const parts = split(failing, granularity);
    const subset = await firstFailing(parts, fails, isOver);
    if (subset !== undefined) {
      failing = subset;
      granularity = 2;
      continue;
    }
    const complements =
      granularity === 2 ? [] : parts.map((part) => failing.filter((item) => !part.includes(item)));
    const complement = await firstFailing(complements, fails, isOver);
    if (complement !== undefined) {
      failing = complement;
      granularity = Math.max(granularity - 1, 2);
    } else if (granularity < failing.length) granularity = Math.min(failing.length, 2 * granularity);
    else break;
  }
  return failing;
}

async function firstFailing<T>(
  parts: readonly (readonly T[])[],
  fails: (part: readonly T[]) => Promise<boolean>,
  isOver: () => boolean,
): Promise<readonly T[] | undefined> {
  for (const part of parts) {
    if (isOver()) return undefined;
    if (await fails(part)) return part;
  }
  return undefined;
}

/** `count` parts of about the same size, none of them empty. */
function split<T>(items: readonly T[], count: number): readonly (readonly T[])[] {
  return Array.from({ length: count }, (_, i) =>
    items.slice(Math.floor((i * items.length) / count), Math.floor(((i + 1) * items.length) / count)),
  );
}

/**
 * The smallest number from `min` to `max` of which `fails` is true, as far as halving finds it; `max` fails. A number
 * below one that fails need not fail: then one that does is found, not the smallest.
 */
export async function smallestFailing(
  min: number,
  max: number,
  fails: (value: number) => Promise<boolean>,
  isOver: () => boolean = () => false,
): Promise<number> {
  let [low, failing] = [min, max];
  while (low < failing && !isOver()) {
    const middle = Math.floor((low + failing) / 2);
    if (await fails(middle)) failing = middle;
    else low = middle + 1;
  }
  return failing;
}

/** Durations are shortened in steps of so many ms: finer ones are less than what real time varies by. */
const stepMs = 500;

/**
 * Looks for a smaller candidate that fails, where every trial is dear: first which faults are needed, by delta
 * debugging; then, by halving, how soon each may begin, how long the run and each fault last, and how many clients.
 */
export async function shrinkByDeltaDebugging(
  failing: Candidate,
  fails: Fails,
  isOver: () => boolean,
): Promise<Candidate> {
  let smallest = failing;
  const attempt = async (candidate: Candidate): Promise<boolean> => {
    if (!(await fails(candidate))) return false;
    smallest = candidate;
    return true;
  };
  /** Halves a time of some ms that `changed` puts into the smallest candidate. */
  const shorten = async (ms: number, min: number, changed: (ms: number) => Candidate): Promise<void> => {
    const steps = Math.ceil(ms / stepMs);
    await smallestFailing(Math.min(min, steps), steps, (count) => attempt(changed(count * stepMs)), isOver);
  };
  await ddmin(failing.schedule, (schedule) => attempt({ ...smallest, schedule }), isOver);
  smallest = effective(smallest);
  for (const position of smallest.schedule.keys()) {
    const { startMs } = smallest.schedule[position]!;
    const earliestMs = position === 0 ? 0 : smallest.schedule[position - 1]!.startMs;
    await shorten(startMs - earliestMs, 0, (gapMs) => sooner(smallest, position, earliestMs + gapMs));
  }
  await shorten(smallest.durationMs, 1, (durationMs) => ({ ...smallest, durationMs }));
  for (const position of smallest.schedule.keys()) {
    const fault = smallest.schedule[position]!;
    await shorten(fault.holdMs, 1, (holdMs) => ({
      ...smallest,
      schedule: smallest.schedule.with(position, { ...fault, holdMs }),
    }));
  }
  await smallestFailing(1, smallest.clients, (clients) => attempt({ ...smallest, clients }), isOver);
  return smallest;
}

/** The fault at this position and all that come after it begin earlier, and the run ends earlier by as much. */
function sooner({ durationMs, clients, schedule }: Candidate, position: number, startMs: number): Candidate {
  const byMs = schedule[position]!.startMs - startMs;
  return {
    durationMs: durationMs - byMs,
    clients,
    schedule: schedule.map((fault, i) =>
      i < position ? fault : { ...fault, startMs: fault.startMs - byMs },
    ),
  };
}
