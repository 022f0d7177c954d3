import { describe, expect, it } from "vitest";
import { zabModel } from "../../model/index.ts";
import { buildModel } from "./explore.ts";
import { layoutOf } from "./layout.ts";
import { Liveness } from "./liveness.ts";

const layout = layoutOf(buildModel(zabModel, {}), new Set());

/** Two workers that have agreed on what is dead: all but the first component. */
function agreed(): readonly [Liveness, Liveness] {
  const one = new Liveness(layout);
  const other = new Liveness(layout, one.buffer);
  one.noteRead(0);
  one.agree();
  other.refresh();
  expect([one.dead.length, other.dead.length]).toEqual(Array(2).fill(layout.components.length - 1));
  return [one, other];
}

describe("what is taken for dead", () => {
  it("is outdated for each worker that reads it, also where another one has read it before", () => {
    const [one, other] = agreed();
    one.noteRead(1);
    expect([one.isOutdated, other.isOutdated]).toEqual([true, false]);
    other.noteRead(0);
    expect(other.isOutdated).toBe(false);
    other.noteRead(1);
    expect(other.isOutdated).toBe(true);
  });

  it("is outdated for each worker of which an effect leaves it as it was", () => {
    const [one, other] = agreed();
    const allBut = layout.components.map((_, component) => component).filter((component) => component !== 2);
    one.noteOverwritten(allBut);
    other.noteOverwritten([...allBut, 2]);
    expect([one.isOutdated, other.isOutdated]).toEqual([true, false]);
    other.noteOverwritten(allBut);
    expect(other.isOutdated).toBe(true);
  });

  it("is agreed upon again when all have met", () => {
    const [one, other] = agreed();
    one.noteRead(1);
    other.noteRead(1);
    other.agree();
    one.refresh();
    expect([one.isOutdated, other.isOutdated]).toEqual([false, false]);
    expect([...one.dead]).toEqual([...other.dead]);
    expect([...one.dead]).not.toContain(1);
  });
});
