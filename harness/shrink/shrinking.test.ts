import fc from "fast-check";
import { expect, test } from "vitest";
import type { ScheduledFault } from "../faults/schedule.ts";
import { ddmin, shrinkByDeltaDebugging, smallestFailing } from "./by-delta-debugging.ts";
import { shrinkByFastCheck } from "./by-fast-check.ts";
import { effective, sizeOf, type Candidate } from "./candidate.ts";

/** Every part of a few items, by definition: the slow twin of ddmin. */
function partsOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  return items.reduce<readonly (readonly T[])[]>(
    (parts, item) => [...parts, ...parts.map((part) => [...part, item])],
    [[]],
  );
}

const eight = [0, 1, 2, 3, 4, 5, 6, 7];
const never = (): boolean => false;

test("delta debugging finds the items that a failure needs, and nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(40), { maxLength: 6 }), fc.nat(60), async (needed, more) => {
      const items = Array.from({ length: 41 + more }, (_, i) => i);
      const fails = (part: readonly number[]): Promise<boolean> =>
        Promise.resolve(needed.every((item) => part.includes(item)));
      expect((await ddmin(items, fails)).toSorted((a, b) => a - b)).toEqual(needed.toSorted((a, b) => a - b));
    }),
  );
});

test("of several ways to fail it finds one of the smallest parts that fail, as a search of all parts has them", async () => {
  const part = fc.subarray(eight, { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 4 }), async (ways) => {
      const isFailing = (some: readonly number[]): boolean =>
        ways.some((way) => way.every((item) => some.includes(item)));
      fc.pre(isFailing(eight));
      const minimal = partsOf(eight).filter(
        (some) => isFailing(some) && some.every((item) => !isFailing(some.filter((other) => other !== item))),
      );
      const found = await ddmin(eight, (some) => Promise.resolve(isFailing(some)));
      expect(minimal.map(String)).toContain(String(found));
    }),
  );
});

test("where more is not always worse, what it finds still fails, and does not without any one of its items", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 256, maxLength: 256 }), async (table) => {
      const isFailing = (some: readonly number[]): boolean =>
        some.length === 8 || table[some.reduce((bits, item) => bits | (1 << item), 0)] === true;
      const found = await ddmin(eight, (some) => Promise.resolve(isFailing(some)));
      expect(isFailing(found)).toBe(true);
      for (const item of found) {
        if (found.length > 1) expect(isFailing(found.filter((other) => other !== item))).toBe(false);
      }
    }),
  );
});

test("halving finds the smallest number that fails, as counting does, where all above it fail", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }), async (a, b) => {
      const [smallest, max] = [Math.min(a, b), Math.max(a, b)];
      expect(await smallestFailing(1, max, (value) => Promise.resolve(value >= smallest))).toBe(smallest);
    }),
  );
});

function fault(startMs: number, holdMs: number, first: number): ScheduledFault {
  return { startMs, holdMs, family: "kill", plan: { target: "one", first } };
}

const large: Candidate = {
  durationMs: 60_000,
  clients: 10,
  schedule: Array.from({ length: 20 }, (_, i) => fault(2500 * i, 2000, i)),
};

/** Fails with faults 3 and 11, the second held for 900 ms, three clients, and a second for each after it began. */
function needs({ durationMs, clients, schedule }: Candidate): boolean {
  const of = (first: number): ScheduledFault | undefined =>
    schedule.find(({ plan }) => plan["first"] === first);
  const [early, late] = [of(3), of(11)];
  return (
    early !== undefined &&
    late !== undefined &&
    late.holdMs >= 900 &&
    clients >= 3 &&
    durationMs >= late.startMs + 1000
  );
}

for (const [name, shrink] of [
  ["fast-check", shrinkByFastCheck],
  ["delta debugging", shrinkByDeltaDebugging],
] as const) {
  test(`by ${name}: fewer faults, shorter holds, less time and fewer clients that still fail`, async () => {
    let trials = 0;
    const found = await shrink(large, (candidate) => (trials++, Promise.resolve(needs(candidate))), never);
    expect(needs(found)).toBe(true);
    expect(found.clients).toBe(3);
    expect(found.schedule.map(({ plan }) => plan["first"])).toEqual([3, 11]);
    const [early, late] = found.schedule;
    expect(early!.holdMs).toBeLessThanOrEqual(500);
    expect(late!.holdMs).toBeLessThanOrEqual(1000);
    expect(found.durationMs).toBeLessThanOrEqual(late!.startMs + 1600);
    expect(trials).toBeLessThan(200);
  });

  test(`by ${name}: whatever is needed, the answer fails, and is no larger than what it began with`, async () => {
    const needed = fc.record({
      faults: fc.subarray([...large.schedule.keys()], { maxLength: 4 }),
      clients: fc.integer({ min: 1, max: 10 }),
      durationMs: fc.integer({ min: 1, max: 60_000 }),
    });
    await fc.assert(
      fc.asyncProperty(needed, async ({ faults, clients, durationMs }) => {
        const isFailing = (candidate: Candidate): boolean =>
          candidate.clients >= clients &&
          candidate.durationMs >= durationMs &&
          faults.every((first) => candidate.schedule.some(({ plan }) => plan["first"] === first));
        const found = await shrink(large, (candidate) => Promise.resolve(isFailing(candidate)), never);
        expect(isFailing(found)).toBe(true);
        expect(found.clients).toBe(clients);
        expect(found.schedule.map(({ plan }) => plan["first"])).toEqual(faults);
        expect(found.durationMs).toBeLessThanOrEqual(Math.max(durationMs * 1.2, durationMs + 600));
      }),
      { numRuns: 20 },
    );
  });

  test(`by ${name}: what cannot get smaller comes back, and a search that is over ends`, async () => {
    const tiny: Candidate = { durationMs: 10, clients: 1, schedule: [fault(0, 1, 0)] };
    const isTiny = (candidate: Candidate): boolean =>
      candidate.schedule.length === 1 && candidate.durationMs >= 10;
    expect(effective(await shrink(tiny, (candidate) => Promise.resolve(isTiny(candidate)), never))).toEqual(
      tiny,
    );
    let trials = 0;
    const found = await shrink(
      large,
      (candidate) => (trials++, Promise.resolve(needs(candidate))),
      () => trials >= 5,
    );
    expect(trials).toBe(5);
    expect(needs(found)).toBe(true);
  });
}

test("faults that would begin after the end make no difference, and holds end with the run", () => {
  const cut = effective({
    durationMs: 3000,
    clients: 1,
    schedule: [fault(2500, 2000, 1), fault(3000, 1, 2)],
  });
  expect(cut.schedule).toEqual([fault(2500, 500, 1)]);
  expect(sizeOf(cut)).toBe("1 fault held for 500 ms, 3.0 s, 1 client");
});
