import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../model/index.ts";
import { majorityOf, type EnsembleView, type Plan } from "./fault-family.ts";
import { families } from "./index.ts";
import { kill } from "./kill.ts";
import { partition } from "./partition.ts";
import { drawSchedule, readSchedule, schedules } from "./schedule.ts";

const bounds = (servers: number, durationMs = 60_000) =>
  ({ durationMs, servers, holdMs: [1000, 5000], gapMs: [0, 4000] }) as const;

function view(servers: number, leader = 0): EnsembleView {
  const names = Array.from({ length: servers }, (_, i) => `server-${i + 1}`);
  return { servers: names, leader: names[leader] };
}

test("a schedule is plain JSON within its bounds, in order of time", () => {
  const any = fc.integer({ min: 1, max: 7 }).chain((servers) => schedules(families, bounds(servers)));
  fc.assert(
    fc.property(any, (schedule) => {
      expect(readSchedule(JSON.parse(JSON.stringify(schedule)), "here")).toEqual(schedule);
      for (const [i, { startMs, holdMs }] of schedule.entries()) {
        expect(startMs + holdMs).toBeLessThanOrEqual(60_000);
        expect(holdMs).toBeGreaterThanOrEqual(1000);
        if (i > 0) expect(startMs).toBeGreaterThanOrEqual(schedule[i - 1]!.startMs);
      }
    }),
  );
});

test("a seed draws the same schedule again, and other seeds draw others", () => {
  const drawn = [1, 2, 3, 4, 5].map((seed) => JSON.stringify(drawSchedule(seed, families, bounds(3))));
  expect(drawn).toEqual(
    [1, 2, 3, 4, 5].map((seed) => JSON.stringify(drawSchedule(seed, families, bounds(3)))),
  );
  expect(new Set(drawn).size).toBe(5);
});

test("a minute holds many faults, of every kind and shape", () => {
  const steps = Array.from({ length: 40 }, (_, seed) => drawSchedule(seed, families, bounds(5))).flat();
  expect(steps.length / 40).toBeGreaterThan(6);
  const shapes = new Set(
    steps.map(({ family, plan }) => `${family} ${String(plan["shape"] ?? plan["target"])}`),
  );
  expect([...shapes].toSorted()).toEqual([
    "kill all",
    "kill leader",
    "kill majority",
    "kill one",
    "partition halves",
    "partition leader-alone",
    "partition one-way",
    "partition ring",
    "pause leader",
    "pause majority",
    "pause one",
  ]);
});

test("a schedule that is none is refused with what was expected", () => {
  expect(() => readSchedule([{ startMs: -1 }], "run/manifest.json")).toThrow(InputError);
  expect(() => readSchedule([{ startMs: 1, holdMs: 1, family: "flood", plan: {} }], "x")).toThrow(
    "x: unknown fault 'flood'",
  );
});

function cuts(plan: Plan, of: EnsembleView): readonly (readonly [string, string])[] {
  const fault = partition.resolve(plan, of);
  return fault?.kind === "partition" ? fault.cuts : [];
}

test("in a ring every server hears a majority, and no two the same one", () => {
  for (const servers of [3, 4, 5, 6, 7]) {
    const ring = cuts({ shape: "ring", first: 1 }, view(servers));
    const heard = view(servers).servers.map((hearer) =>
      view(servers).servers.filter((from) => !ring.some(([a, b]) => a === from && b === hearer)),
    );
    for (const names of heard) expect(names).toHaveLength(majorityOf(servers));
    expect(new Set(heard.map(String)).size).toBe(servers);
  }
});

test("the leader alone is cut off both ways, and one-way only in its direction", () => {
  expect(cuts({ shape: "leader-alone" }, view(3, 1))).toEqual([
    ["server-2", "server-1"],
    ["server-1", "server-2"],
    ["server-2", "server-3"],
    ["server-3", "server-2"],
  ]);
  expect(cuts({ shape: "one-way", direction: "to" }, view(3, 1))).toEqual([
    ["server-1", "server-2"],
    ["server-3", "server-2"],
  ]);
  expect(cuts({ shape: "leader-alone" }, { ...view(3), leader: undefined })).toEqual([]);
});

test("halves leave a majority on one side that hears nothing of the other", () => {
  for (const servers of [3, 4, 5]) {
    const all = view(servers).servers;
    const cut = cuts({ shape: "halves", first: 0 }, view(servers));
    const minority = all.slice(0, servers - majorityOf(servers));
    const expected = all.flatMap((a) => all.map((b) => [a, b] as const));
    const across = expected.filter(([a, b]) => minority.includes(a) !== minority.includes(b));
    expect([...cut].map(String).toSorted()).toEqual(across.map(String).toSorted());
  }
});

test("targets are resolved when they are applied", () => {
  expect(kill.resolve({ target: "leader", first: 0 }, view(3, 2))).toEqual({
    kind: "kill",
    servers: ["server-3"],
  });
  expect(kill.resolve({ target: "majority", first: 2 }, view(3))).toEqual({
    kind: "kill",
    servers: ["server-3", "server-1"],
  });
  expect(kill.resolve({ target: "leader", first: 0 }, { ...view(3), leader: undefined })).toBeUndefined();
});
