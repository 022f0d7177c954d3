import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { families } from "../faults/index.ts";
import { makeProgram } from "../main.ts";
import { workloads } from "../workloads/index.ts";
import { jobsOf } from "./expand.ts";
import { commandOfJob } from "./job.ts";
import { parsePlan, planText, readPlan, type Plan } from "./plan.ts";
import { shippedPlans } from "./shipped.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "zabcheck-plan-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = { workloads: ["register"], faults: ["kill"] };

/** The message and hint with which a plan is refused. */
async function refusal(plan: unknown): Promise<string> {
  try {
    await parsePlan(plan, "plan.json");
  } catch (error) {
    const { name, message, hint } = error as { name: string; message: string; hint: string };
    return `${name}: ${message} (${hint})`;
  }
  return "accepted";
}

const wrong: readonly (readonly [name: string, plan: unknown, message: RegExp])[] = [
  ["a list", [], /plan\.json: Invalid input: expected object/],
  ["an empty one", {}, /the plan has no runs and no explorations/],
  ["an unknown key", { rnus: [run] }, /unknown key 'rnus'; did you mean 'runs'\?/],
  [
    "an unknown key of a run",
    { runs: [run, { ...run, fautls: [] }] },
    /runs\[1\]: unknown key 'fautls'; did you mean 'faults'/,
  ],
  [
    "an unknown workload",
    { runs: [{ ...run, workloads: ["register", "registr"] }] },
    /runs\[0\]\.workloads\[1\]: unknown workload 'registr'; did you mean 'register'/,
  ],
  [
    "workloads that are none",
    { runs: [{ ...run, workloads: 7 }] },
    /runs\[0\]\.workloads: expected "all" or a list of workloads/,
  ],
  [
    "an unknown fault",
    { runs: [{ ...run, faults: ["kill", "kill,flood"] }] },
    /runs\[0\]\.faults\[1\]: unknown fault 'flood'/,
  ],
  [
    "faults that are no list",
    { runs: [{ ...run, faults: "kill" }] },
    /runs\[0\]\.faults: expected a list such as/,
  ],
  [
    "a missing list of faults",
    { runs: [{ workloads: "all" }] },
    /runs\[0\]\.faults: expected a list such as/,
  ],
  [
    "a time without a unit",
    { runs: [{ ...run, time: "60" }] },
    /runs\[0\]\.time: expected a duration such as/,
  ],
  ["a size that is none", { memory: "lots", runs: [run] }, /memory: expected a size such as/],
  ["too many servers", { runs: [{ ...run, servers: 99 }] }, /runs\[0\]\.servers: Too big/],
  [
    "seeds that are none",
    { runs: [{ ...run, seeds: "x" }] },
    /runs\[0\]\.seeds: expected how many new seeds a night, or a list/,
  ],
  [
    "releases of an embedded ensemble",
    { runs: [{ ...run, releases: ["3.9.5"] }] },
    /runs\[0\]\.releases: real servers have releases: add "cluster": "docker"/,
  ],
  [
    "a release that is none",
    { runs: [{ ...run, cluster: "docker", releases: ["3.9; rm"] }] },
    /runs\[0\]\.releases\[0\]: expected a release such as 3\.9\.5/,
  ],
  [
    "a defect of real servers",
    { runs: [{ ...run, cluster: "docker", defect: "x" }] },
    /runs\[0\]\.defect: real servers have no seeded defect/,
  ],
  [
    "a workload's option that it does not know",
    { runs: [{ ...run, options: { kees: 3 } }] },
    /runs\[0\]\.options: workload register: .*kees.*its options are: keys/,
  ],
  [
    "an unknown model",
    { explorations: [{ model: "zap" }] },
    /explorations\[0\]\.model: unknown model 'zap' \(did you mean 'zab'/,
  ],
  [
    "a model's parameter that it does not know",
    { explorations: [{ model: "zab", options: { serves: 3 } }] },
    /explorations\[0\]\.options: unknown option '--serves' .*\(see: zabcheck explore zab --help\)/,
  ],
  [
    "a model's parameter out of bounds",
    { explorations: [{ model: "zab", options: { servers: 99 } }] },
    /explorations\[0\]\.options: .*--servers.*99/,
  ],
  [
    "a name that is a path",
    { name: "../x", runs: [run] },
    /name: expected letters, digits, dots and hyphens/,
  ],
  ["no attempts", { attempts: 0, runs: [run] }, /attempts: Too small/],
];

for (const [name, plan, message] of wrong) {
  test(`a plan with ${name} is refused with its place and what was expected`, async () => {
    const told = await refusal(plan);
    expect(told).toMatch(message);
    expect(told).toMatch(/^InputError: plan\.json: .* \(.+\)$/s);
    expect(told).not.toContain("\n");
  });
}

test("a file that is no JSON is refused with line and column, and a plan is named after its file", async () => {
  const path = join(folder, "My plan.json");
  writeFileSync(path, '{\n  "runs": [}\n');
  await expect(readPlan(path)).rejects.toThrow(/My plan\.json:2:12: is no JSON/);
  writeFileSync(path, JSON.stringify({ runs: [run] }));
  expect((await readPlan(path)).name).toBe("My-plan");
  writeFileSync(path, JSON.stringify({ name: "other", runs: [run] }));
  expect((await readPlan(path)).name).toBe("other");
  await expect(readPlan(join(folder, "missing.json"))).rejects.toThrow(/missing\.json: cannot be read/);
});

async function jobs(written: unknown, seed = 1): Promise<ReturnType<typeof jobsOf>> {
  return jobsOf(await parsePlan(written, "plan.json"), seed);
}

test("a plan is every combination of workloads, releases, faults and seeds, a round of them before the next seed", async () => {
  const expanded = await jobs({
    explorations: [{ model: "zab", options: { servers: 2, symmetry: true }, time: "5s", memory: "1g" }],
    runs: [
      {
        workloads: ["register", "leader-election"],
        cluster: "docker",
        releases: ["3.9.5", "3.8.6,3.9.5"],
        faults: ["kill", "pause,partition"],
        seeds: [7, 8],
        options: {},
      },
    ],
  });
  expect(expanded).toHaveLength(1 + 2 * 2 * 2 * 2);
  expect(expanded[0]).toMatchObject({
    id: "explore-zab-servers-2-symmetry",
    words: ["explore", "zab", "--servers", "2", "--symmetry", "--time", "5s", "--memory", "1024m"],
  });
  expect(expanded.slice(1).map(({ subject }) => subject.seed)).toEqual([
    ...Array(8).fill(7),
    ...Array(8).fill(8),
  ]);
  expect(expanded[2]?.id).toBe("register-3.9.5-pause+partition-7");
  expect(commandOfJob(expanded[1]!)).toBe(
    "zabcheck run register --cluster docker --servers 3 --faults kill --time 60s --seed 7 --clients 10 --rate 2000 --session-timeout 2s --release 3.9.5",
  );
});

test("every job has a name of its own, fit for a file, the same each time", async () => {
  const names = fc.record({
    workloads: fc.constantFrom("all", ["register"]),
    faults: fc.uniqueArray(fc.constantFrom("all", "none", "kill", "kill,pause"), { minLength: 1 }),
    seeds: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant([1, 2])),
    servers: fc.constantFrom(1, 3, 5),
    clients: fc.constantFrom(3, 4),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(names, { minLength: 1, maxLength: 4 }), fc.nat(), async (runs, seed) => {
      const ids = (await jobs({ runs }, seed)).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const id of ids) expect(id).toMatch(/^[\w.+~-]+$/);
      expect((await jobs({ runs }, seed)).map(({ id }) => id)).toEqual(ids);
    }),
    { numRuns: 50 },
  );
});

test("new seeds follow from the night's, and differ from night to night and from run to run", async () => {
  const written = {
    runs: [
      { ...run, seeds: 3 },
      { ...run, seeds: 3 },
    ],
  };
  const seedsOf = async (night: number): Promise<readonly (number | null)[]> =>
    (await jobs(written, night)).map(({ subject }) => subject.seed);
  const [first, second] = [await seedsOf(1), await seedsOf(2)];
  expect(new Set([...first, ...second]).size).toBe(12);
  expect(await seedsOf(1)).toEqual(first);
});

/** What the command line makes of words: throws where it would refuse them. */
function accepted(words: readonly string[]): void {
  const program = makeProgram();
  for (const command of program.commands) command.action(() => undefined);
  program.parse([...words], { from: "user" });
}

test("the words of a job are those of the command line", async () => {
  const everything = {
    runs: [
      {
        ...run,
        servers: 5,
        clients: 3,
        rate: 0,
        sessionTimeout: "1500ms",
        options: { keys: 3 },
        defect: "ack-before-log",
      },
      { ...run, cluster: "docker", releases: ["3.6.4"] },
      { ...run, cluster: "docker", image: "some/image:1" },
    ],
  };
  for (const { words } of await jobs(everything)) expect(() => accepted(words)).not.toThrow();
  expect(() => accepted(["run", "register", "--no-such"])).toThrow();
});

test("a job is given memory by its operations, and a limit well beyond what is expected of it", async () => {
  const [short, long] = await jobs({ runs: [run, { ...run, time: "30m" }] });
  expect(long!.processBytes).toBeGreaterThan(4 * short!.processBytes);
  for (const job of [short!, long!]) expect(job.limitMs).toBeGreaterThan(2 * job.expectedMs);
  const [limited] = await jobs({ runs: [{ ...run, limit: "7s" }] });
  expect(limited?.limitMs).toBe(7000);
});

test("the embedded plan is twenty runs that use every workload, and every fault that the ensemble knows", async () => {
  const written = await shippedPlans["embedded"]!(undefined, 1);
  const expanded = await jobs(written);
  expect(expanded).toHaveLength(20);
  const used = new Set(expanded.map(({ subject }) => subject.name));
  expect([...used].toSorted()).toEqual(workloads.map(({ name }) => name).toSorted());
  const faults = new Set(expanded.flatMap(({ subject }) => subject.faults.split(",")));
  for (const basic of ["partition", "kill", "pause"]) expect(faults).toContain(basic);
  for (const fault of faults) expect(families.map(({ name }) => name)).toContain(fault);
  expect(await parsePlan(JSON.parse(planText(written)), "printed")).toEqual(
    await parsePlan(written, "shipped"),
  );
});

test("the docker plan is three releases with every workload and every fault, as many rounds as its time has room for", async () => {
  const of = async (hours: number, parallel = 1): Promise<Plan> =>
    parsePlan(await shippedPlans["docker"]!(hours * 3_600_000, parallel), "shipped");
  const total = (plan: Plan): number =>
    jobsOf(plan, 1).reduce((sum, { expectedMs }) => sum + expectedMs, 0) / 3_600_000;
  for (const hours of [1, 4, 8]) {
    const plan = await of(hours);
    const expanded = jobsOf(plan, 1);
    const pairs = new Set(expanded.map(({ subject }) => `${subject.name} ${subject.where}`));
    expect(pairs.size).toBe(3 * workloads.length);
    expect(new Set(expanded.map(({ subject }) => subject.faults))).toEqual(new Set(["all"]));
    expect(total(plan)).toBeLessThanOrEqual(hours);
    expect(total(plan)).toBeGreaterThan(0.5 * hours);
    expect(plan.time).toBe(hours * 3_600_000);
  }
  expect(jobsOf(await of(8, 2), 1).length).toBeGreaterThan(1.8 * jobsOf(await of(8), 1).length);
  // Hardly any time: every workload all the same.
  const tiny = jobsOf(await of(0.02), 1);
  expect(new Set(tiny.map(({ subject }) => subject.name)).size).toBe(workloads.length);
});
