import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Model } from "../../model/index.ts";
import { explore, type ExplorationOptions } from "./explore.ts";
import { exploreNaively, type NaiveOptions, type NaiveResult } from "./naive.ts";
import { ladderOf, ladderPlan } from "./ladders.for-tests.ts";
import { modelOf, modelPlan } from "./random-models.for-tests.ts";
import type { ExplorationResult } from "./result.ts";

/** Everything that the engine says and its slow twin can say, too. */
async function compare(model: Model<unknown>, options: ExplorationOptions): Promise<ExplorationResult> {
  const slow = smallEnough(model, {
    symmetry: options.symmetry === true,
    deadlock: options.deadlock === true,
    without: options.view === true ? (model.ghosts ?? []) : [],
  });
  const fast = await explore(model, { alikeAfter: 0, ...options });
  expect(fast.counterexample?.length, "states of the counterexample").toBe(slow.violation?.path.length);
  if (fast.counterexample !== null) {
    expect([...(slow.violation?.properties ?? [])]).toContain(fast.counterexample.property);
  }
  expect([fast.generated, fast.distinct, fast.depth]).toEqual([slow.generated, slow.distinct, slow.depth]);
  const bySlow = (name: string): number => slow.perAction.get(name) ?? 0;
  expect(fast.actions.map(({ name, generated }) => [name, generated])).toEqual(
    fast.actions.map(({ name }) => [name, bySlow(name)]),
  );
  if (fast.counterexample === null) {
    for (const { name, seen } of fast.witnesses)
      expect([name, seen]).toEqual([name, slow.exercised.has(name)]);
    for (const { name, vacuous } of fast.verdicts) {
      expect([name, vacuous !== true]).toEqual([name, slow.exercised.has(name)]);
    }
  }
  return fast;
}

/** What the slow twin says; another model is drawn where this one is too large for it. */
function smallEnough(model: Model<unknown>, options: NaiveOptions = {}): NaiveResult {
  try {
    return exploreNaively(model, { ...options, statesMax });
  } catch (error) {
    if (error instanceof RangeError) return fc.pre(false) as never;
    throw error;
  }
}

const statesMax = 1500;
const runs = { numRuns: 150 };

it("means the same to the engine and to its slow twin, for random models", async () => {
  await fc.assert(
    fc.asyncProperty(modelPlan, fc.boolean(), async (plan, deadlock) => {
      await compare(modelOf(plan), { deadlock });
    }),
    runs,
  );
});

it("counts orbits as the slow twin does, for random symmetric models", async () => {
  await fc.assert(
    fc.asyncProperty(modelPlan, async (plan) => {
      await compare(modelOf(plan), { symmetry: true });
    }),
    runs,
  );
});

it("takes back what it took for alike, where what was never read is read after all", async () => {
  await fc.assert(
    fc.asyncProperty(ladderPlan, fc.nat(20), fc.boolean(), async (plan, alikeAfter, deadlock) => {
      await compare(ladderOf(plan), { alikeAfter, deadlock });
    }),
    { numRuns: 500 },
  );
});

it("leaves out ghosts as the slow twin does", async () => {
  await fc.assert(
    fc.asyncProperty(modelPlan, fc.boolean(), async (plan, symmetry) => {
      await compare(modelOf(plan), { view: true, symmetry });
    }),
    runs,
  );
});

it("finds the same states depth-first", async () => {
  await fc.assert(
    fc.asyncProperty(modelPlan, async (plan) => {
      const model = { ...modelOf(plan), invariants: [], stepProperties: [] };
      smallEnough(model);
      const [deep, broad] = [await explore(model, { mode: "depth-first" }), await explore(model)];
      expect([deep.generated, deep.distinct]).toEqual([broad.generated, broad.distinct]);
    }),
    runs,
  );
});

it("resumes from a checkpoint to the same counts", async () => {
  const folder = mkdtempSync(join(tmpdir(), "zabcheck-checkpoint-"));
  try {
    await fc.assert(
      fc.asyncProperty(modelPlan, fc.integer({ min: 3, max: 5 }), async (plan, depthMax) => {
        const model = modelOf(plan);
        smallEnough(model);
        const whole = await explore(model);
        fc.pre(whole.depth > depthMax);
        const checkpoint = mkdtempSync(join(folder, "run-"));
        const cut = await explore(model, { checkpoint, depthMax });
        expect(cut.ending).toBe("depth");
        const {
          seconds: _,
          generatedPerSecond: __,
          ...resumed
        } = await explore(model, { resume: checkpoint });
        expect(resumed).toMatchObject({
          generated: whole.generated,
          distinct: whole.distinct,
          depth: whole.depth,
        });
        expect(resumed.actions).toEqual(whole.actions);
        expect(resumed.counterexample?.length).toBe(whole.counterexample?.length);
        expect(resumed.verdicts.map(({ verdict }) => verdict)).toEqual(
          whole.verdicts.map(({ verdict }) => verdict),
        );
      }),
      { numRuns: 8 },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
