import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../model/index.ts";
import { serversOf } from "../../clusters/index.ts";
import { majorityOf, type EnsembleView, type FaultFamily, type Plan } from "./fault-family.ts";
import { families } from "./index.ts";
import { kill } from "./kill.ts";
import { partition } from "./partition.ts";
import { drawSchedule, readSchedule, schedules } from "./schedule.ts";

const bounds = (servers: number, durationMs = 60_000) =>
  ({ durationMs, servers, holdMs: [1000, 5000], gapMs: [0, 4000] }) as const;

function view(voters: number, leader = 0, observers = 0): EnsembleView {
  const names = Array.from({ length: voters + observers }, (_, i) => `server-${i + 1}`);
  return { servers: names, voters: names.slice(0, voters), spares: [], leader: names[leader] };
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
  const steps = Array.from({ length: 200 }, (_, seed) => drawSchedule(seed, families, bounds(5))).flat();
  expect(steps.length / 200).toBeGreaterThan(6);
  const seen = new Map<string, Set<string>>();
  for (const { family, plan } of steps) {
    const shape = plan["shape"] ?? plan["around"] ?? plan["change"] ?? plan["target"] ?? "whole";
    seen.set(family, (seen.get(family) ?? new Set()).add(String(shape)));
  }
  const parts = ["leader", "one", "all", "majority"];
  const links = ["leader", "one", "all"];
  const small = ["leader", "one", "minority"];
  const expected: { readonly [family: string]: readonly string[] } = {
    partition: ["leader-alone", "one", "halves", "one-way", "ring", "bridge"],
    loss: links,
    delay: links,
    reset: links,
    kill: [...parts, "minority"],
    pause: ["leader", "one", "majority"],
    "power-cut": ["leader", "one", "all", "minority"],
    starve: parts,
    "disk-full": small,
    "disk-error": small,
    "slow-disk": parts,
    damage: ["leader", "minority"],
    clock: parts,
    "clock-rate": parts,
    "rolling-restart": ["whole"],
    upgrade: ["whole"],
    reconfig: ["remove", "add", "replace"],
  };
  const sorted = (shapes: Iterable<string>): readonly string[] => [...shapes].toSorted();
  expect([...seen.keys()].toSorted()).toEqual(Object.keys(expected).toSorted());
  for (const [family, shapes] of seen)
    expect([family, sorted(shapes)]).toEqual([family, sorted(expected[family]!)]);
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

test("a bridge hears both halves, which do not hear each other", () => {
  for (const [voters, observers] of [
    [3, 0],
    [5, 0],
    [5, 2],
  ] as const) {
    const of = view(voters, 0, observers);
    const cut = cuts({ shape: "bridge", first: 1 }, of);
    const hears = (a: string, b: string): boolean => !cut.some(([from, to]) => from === b && to === a);
    const rest = of.servers.filter((server) => server !== "server-2");
    for (const server of rest)
      expect([hears("server-2", server), hears(server, "server-2")]).toEqual([true, true]);
    const half = rest.filter((server) => !hears(rest.at(-1)!, server));
    expect(half).toHaveLength(Math.floor((voters - 1) / 2));
    for (const one of half) {
      for (const other of rest) expect(hears(one, other) || one === other).toBe(half.includes(other));
    }
  }
});

test("one server alone may be an observer, and hears nobody", () => {
  const cut = cuts({ shape: "one", first: 3 }, view(3, 0, 2));
  expect(cut).toHaveLength(8);
  expect(cut.every((pair) => pair.includes("server-4"))).toBe(true);
});

test("whatever is drawn, a family makes its own kind of fault of it, about servers that there are", () => {
  const shapes = fc.constantFrom<readonly [number, number]>([1, 0], [2, 0], [3, 0], [3, 2], [5, 0], [5, 2]);
  const drawn = shapes.chain(([voters, observers]) => {
    const able = families.filter((family) => family.plans(voters, observers) !== undefined);
    return fc
      .constantFrom(...able)
      .chain((family) =>
        fc.tuple(
          fc.constant(family),
          family.plans(voters, observers)!,
          fc.constant(view(voters, 0, observers)),
        ),
      );
  });
  const resolved = new Set<string>();
  fc.assert(
    fc.property(drawn, fc.nat(4), (drawn, spare) => {
      const [family, plan, seen] = drawn;
      const spares = spare > 0 ? ["server-9"] : [];
      const fault = family.resolve(plan, { ...seen, spares });
      if (fault === undefined) return;
      resolved.add(family.name);
      expect(fault.kind).toBe(family.needs);
      expect(serversOf(fault).length).toBeGreaterThan(0);
      for (const server of serversOf(fault)) expect([...seen.servers, ...spares]).toContain(server);
    }),
    { numRuns: 2000 },
  );
  expect([...resolved].toSorted()).toEqual(families.map(({ name }) => name).toSorted());
});

test("what destroys something leaves a majority of the voters alone", () => {
  const destroying = families.filter(({ name }) => ["disk-full", "disk-error", "damage"].includes(name));
  expect(destroying).toHaveLength(3);
  const drawn = fc
    .tuple(fc.constantFrom(...destroying), fc.constantFrom(3, 4, 5, 7), fc.nat(2))
    .chain(([family, voters, observers]) =>
      fc.tuple(
        fc.constant(family),
        fc.constant(view(voters, 0, observers)),
        family.plans(voters, observers)!,
      ),
    );
  fc.assert(
    fc.property(drawn, ([family, seen, plan]) => {
      const fault = family.resolve(plan, seen);
      const hit =
        fault === undefined ? [] : serversOf(fault).filter((server) => seen.voters.includes(server));
      expect(2 * hit.length).toBeLessThan(seen.voters.length);
    }),
  );
});

test("a plan from a file with numbers out of all bounds does no more than a fault can", () => {
  const plan = { target: "leader", around: "leader", direction: "both", percent: 1e9, first: "x", minMs: -5 };
  expect(named("loss").resolve(plan, view(3))).toMatchObject({ share: 1 });
  expect(named("delay").resolve(plan, view(3))).toMatchObject({ delayMs: [0, 50] });
  expect(named("starve").resolve({ ...plan, percent: null }, view(3))).toMatchObject({ share: 0.05 });
});

test("a rolling restart and an upgrade leave the leader for last, and wait for one", () => {
  for (const name of ["rolling-restart", "upgrade"]) {
    expect(named(name).resolve({}, view(3, 0, 1))).toMatchObject({
      servers: ["server-2", "server-3", "server-4", "server-1"],
    });
    expect(named(name).resolve({}, { ...view(3), leader: undefined })).toBeUndefined();
  }
});

test("links of one direction are those from, or to, the server in the middle", () => {
  const resolve = (direction: string) =>
    named("reset").resolve({ around: "one", first: 1, direction }, view(3)) as { links: readonly unknown[] };
  expect(resolve("from").links).toEqual([
    ["server-2", "server-1"],
    ["server-2", "server-3"],
  ]);
  expect(resolve("to").links).toEqual([
    ["server-1", "server-2"],
    ["server-3", "server-2"],
  ]);
  expect(resolve("both").links).toHaveLength(4);
});

function named(name: string): FaultFamily {
  return families.find((family) => family.name === name)!;
}
