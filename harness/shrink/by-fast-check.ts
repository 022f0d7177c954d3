import fc, { type Arbitrary } from "fast-check";
import { effective, type Candidate, type Fails } from "./candidate.ts";

/** A time is shortened in steps of a twentieth: five trials find the right one. */
const whole = 20;

/** A pass that shortens all times by less than a tenth is the last. */
const worthwhile = 0.9;

/** A candidate as fast-check shrinks it: what is kept of another, times in twentieths of its own. */
interface Reduction {
  readonly duration: number;
  readonly clients: number;
  /** Which faults, by their position, and how much of their beginning and of their hold. */
  readonly faults: readonly { readonly fault: number; readonly start: number; readonly hold: number }[];
}

/**
 * Looks for a smaller candidate that fails, by fast-check's own shrinking: the candidate is its example, which it
 * shrinks in order of time, clients and faults. As an earlier time of a fault makes room for a shorter run, it is
 * done again until nothing gets smaller. `isOver` ends it early; the last candidate that failed is the answer.
 *
 * Differs from what fast-check does by itself: not the drawn choices are shrunk (smaller choices draw more faults into
 * the same time), but the schedule that came of them.
 */
export async function shrinkByFastCheck(
  failing: Candidate,
  fails: Fails,
  isOver: () => boolean,
): Promise<Candidate> {
  for (let smallest = failing; ;) {
    const next = await once(smallest, fails, isOver);
    if (next === undefined || isOver() || !isMuchSmaller(next, smallest)) return next ?? smallest;
    smallest = next;
  }
}

function isMuchSmaller(one: Candidate, other: Candidate): boolean {
  const held = ({ schedule }: Candidate): number => schedule.reduce((sum, { holdMs }) => sum + holdMs, 0);
  return (
    one.schedule.length < other.schedule.length ||
    one.clients < other.clients ||
    one.durationMs < worthwhile * other.durationMs ||
    held(one) < worthwhile * held(other)
  );
}

/** One shrinking to its end; undefined where nothing smaller failed. */
async function once(of: Candidate, fails: Fails, isOver: () => boolean): Promise<Candidate | undefined> {
  let smaller: Candidate | undefined;
  const all: Reduction = {
    duration: whole,
    clients: of.clients,
    faults: of.schedule.map((_, fault) => ({ fault, start: whole, hold: whole })),
  };
  const property = fc.asyncProperty(reductions(of), async (reduction) => {
    // Known to fail: it is what there is to shrink.
    if (JSON.stringify(reduction) === JSON.stringify(all)) return false;
    fc.pre(!isOver());
    const candidate = reduced(of, reduction);
    if (JSON.stringify(effective(candidate)) === JSON.stringify(effective(of))) return true;
    if (!(await fails(candidate))) return true;
    smaller = candidate;
    return false;
  });
  await fc.check(property, { examples: [[all]], numRuns: 1 });
  return smaller;
}

function reductions({ clients, schedule }: Candidate): Arbitrary<Reduction> {
  const share = fc.integer({ min: 1, max: whole });
  const faults = fc.array(
    fc.record(
      {
        // Another fault is no smaller one.
        fault: fc.noShrink(fc.nat(Math.max(0, schedule.length - 1))),
        start: fc.integer({ min: 0, max: whole }),
        hold: share,
      },
      { noNullPrototype: true },
    ),
    { maxLength: schedule.length, size: "max" },
  );
  return fc.record(
    { duration: share, clients: fc.integer({ min: 1, max: clients }), faults },
    { noNullPrototype: true },
  );
}

function reduced(of: Candidate, { duration, clients, faults }: Reduction): Candidate {
  return {
    durationMs: Math.ceil((of.durationMs * duration) / whole),
    clients,
    schedule: faults.map(({ fault, start, hold }) => {
      const entry = of.schedule[fault]!;
      const startMs = Math.round((entry.startMs * start) / whole);
      return { ...entry, startMs, holdMs: Math.ceil((entry.holdMs * hold) / whole) };
    }),
  };
}
