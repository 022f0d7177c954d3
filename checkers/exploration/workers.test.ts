import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { expect, it } from "vitest";
import * as engine from "../../model/index.ts";
import { zabModel, type Action, type ModelDefinition, type Now } from "../../model/index.ts";
import { explore } from "./explore.ts";
import { statesMax } from "./fewest-switches.ts";
import type { ExplorationResult } from "./result.ts";

const parameters = { servers: 2, transactions: 2, timeouts: 1, restarts: 1, epochs: 3 };

it.each([
  { workers: 2, symmetry: false },
  { workers: 3, symmetry: true },
])("counts the same with $workers workers, symmetry $symmetry", async ({ workers, symmetry }) => {
  const alone = await explore(zabModel, { parameters, symmetry });
  // What is never read is found out together, and some of it too early.
  const together = await explore(zabModel, { parameters, symmetry, workers, alikeAfter: 0 });
  expect(together.actions.map(({ name, generated }) => [name, generated])).toEqual(
    alone.actions.map(({ name, generated }) => [name, generated]),
  );
  expect([together.generated, together.distinct, together.depth]).toEqual([
    alone.generated,
    alone.distinct,
    alone.depth,
  ]);
  expect(together.verdicts).toEqual(alone.verdicts);
  expect(together.witnesses).toEqual(alone.witnesses);
});

it("finds a shortest counterexample with several workers", async () => {
  const result = await explore(zabModel, { variant: "early-commit", parameters, workers: 2, alikeAfter: 0 });
  const alone = await explore(zabModel, { variant: "early-commit", parameters });
  expect(result.counterexample).toEqual(alone.counterexample);
});

it("goes on with other numbers of workers where one left off", async () => {
  const folder = mkdtempSync(join(tmpdir(), "zabcheck-workers-"));
  try {
    const whole = await explore(zabModel, { parameters });
    await explore(zabModel, { parameters, workers: 3, depthMax: 12, checkpoint: folder });
    const resumed = await explore(zabModel, { parameters, workers: 2, resume: folder });
    expect([resumed.generated, resumed.distinct, resumed.depth]).toEqual([
      whole.generated,
      whole.distinct,
      whole.depth,
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

interface Box {
  x: number;
  y: number;
  z: number;
  far: number;
  last: string;
}

/**
 * A walk in a box. Nobody asks for the last step, but for what the parameters tell: each names the distance at which a
 * guard, a list of parameters, a property or the constraint does, or at which an action leaves it as it was; 0 is never.
 */
function walkIn(library: typeof engine): ModelDefinition {
  const { action, invariant, stepProperty, witness } = library.vocabulary<Box>();
  const late = { kind: "integer", summary: "a distance", default: 0, minimum: 0, maximum: 120 } as const;
  const build: ModelDefinition["build"] = (parameters) => {
    const { size, guard, list, kept, property, step, seen, constraint, end } = parameters as Record<
      string,
      number
    >;
    const isAt = (distance: number | undefined, now: Now<Box>): boolean =>
      distance !== 0 && now.x + now.y + now.z === distance && now.x % 4 !== 0;
    const steps = (["x", "y", "z"] as const).map((name) =>
      action(`Step${name}`, [[]], (now, next) => {
        if (now[name] === size) return library.disabled;
        next[name] = now[name] + 1;
        if (!isAt(kept, now) || name !== "z") next.last = name;
        return undefined;
      }),
    );
    const leap = (
      name: string,
      lists: readonly (readonly [])[] | ((now: Now<Box>) => readonly (readonly [])[]),
      may: (now: Now<Box>) => boolean,
    ): Action<Box> =>
      action(name, lists as readonly (readonly [])[], (now, next) => {
        if (!may(now) || now.far === 1) return library.disabled;
        next.far = 1;
        next.last = name;
        return undefined;
      });
    return library.opaque<Box>({
      name: "walk",
      parameters,
      identities: [],
      initial: [{ x: 0, y: 0, z: 0, far: 0, last: "" }],
      actions: [
        ...steps,
        leap("Leap", [[]], (now) => isAt(guard, now) && now.last === "y"),
        leap(
          "Listed",
          (now) => (isAt(list, now) && now.last === "x" ? [[]] : []),
          () => true,
        ),
      ],
      invariants: [
        invariant("Known", (now) => !isAt(property, now) || now.last !== ""),
        invariant("Goes on", (now) => !isAt(end, now)),
      ],
      stepProperties: [stepProperty("KnownStep", (now) => !isAt(step, now) || now.last !== "")],
      witnesses: [witness("SeenY", (now) => isAt(seen, now) && now.last === "y")],
      ...(constraint === 0 ? {} : { constraint: (now) => !isAt(constraint, now) || now.last !== "z" }),
    });
  };
  return {
    kind: "model",
    name: "walk",
    summary: "a walk in a box",
    source: "none",
    parameters: {
      size: { kind: "integer", summary: "the side of the box", default: 20, minimum: 2, maximum: 40 },
      guard: late,
      list: late,
      kept: late,
      property: late,
      step: late,
      seen: late,
      constraint: late,
      end: late,
    },
    build,
  };
}

/** The same for workers, which know compiled code alone. */
const moduleOfWalk = `import * as engine from ${JSON.stringify(new URL("../../dist/model/index.js", import.meta.url).href)};
export const walk = (${walkIn.toString()})(engine);
`;

/** Calls back with the model, and with where workers find it. */
async function withWalk(run: (walk: ModelDefinition, module: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "zabcheck-workers-"));
  try {
    const file = join(folder, "walk.mjs");
    writeFileSync(file, moduleOfWalk);
    await run(walkIn(engine), pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

it("tells a path of which only workers have met the steps", { timeout: 300_000 }, async () => {
  await withWalk(async (walk, module) => {
    const size = 37;
    const { counterexample, distinct } = await explore(walk, {
      parameters: { size, end: 3 * size },
      module,
      workers: 2,
    });
    expect(distinct).toBeGreaterThan(statesMax);
    expect([counterexample?.property, counterexample?.length]).toEqual(["Goes on", 3 * size + 1]);
    expect(counterexample?.steps.at(-1)?.state).toMatchObject({ x: size, y: size, z: size });
  });
});

it("takes back in the middle of a level with several workers", { timeout: 300_000 }, async () => {
  await withWalk(async (walk, module) => {
    const distance = fc.oneof(
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 8, max: 30 }) },
    );
    const plan = fc.record({
      size: fc.integer({ min: 8, max: 14 }),
      guard: distance,
      list: distance,
      kept: distance,
      property: distance,
      step: distance,
      seen: distance,
      constraint: distance,
    });
    let takenForAlike = 0;
    const late = { list: 0, kept: 0, property: 0, step: 0, seen: 0, constraint: 0 };
    await fc.assert(
      fc.asyncProperty(plan, fc.integer({ min: 2, max: 3 }), async (parameters, workers) => {
        const alone = await explore(walk, { parameters, alikeAfter: Number.POSITIVE_INFINITY });
        const together = await explore(walk, { parameters, module, workers, alikeAfter: 0 });
        takenForAlike += together.alike;
        const told = (it: ExplorationResult): unknown => {
          const { generated, distinct, depth, unexpanded, actions, verdicts, witnesses } = it;
          const counts = actions.map((each) => [each.name, each.generated]);
          return { generated, distinct, depth, unexpanded, counts, verdicts, witnesses };
        };
        expect(told(together)).toEqual(told(alone));
      }),
      { numRuns: 12, examples: [[{ ...late, size: 20, guard: 30 }, 2]] },
    );
    expect(takenForAlike).toBeGreaterThan(1000);
  });
});
