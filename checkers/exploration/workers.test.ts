import { expect, it } from "vitest";
import { zabModel } from "../../model/index.ts";
import { explore } from "./explore.ts";

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
  const { mkdtempSync, rmSync } = await import("node:fs");
  const folder = mkdtempSync("/tmp/zabcheck-workers-");
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
