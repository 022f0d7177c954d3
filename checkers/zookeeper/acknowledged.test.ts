import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Event } from "../../model/index.ts";
import { Acknowledged } from "./acknowledged.ts";
import { Step } from "./steps.ts";

const epochs = 2 ** 32;
const zxid = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.oneof(fc.integer({ min: 1, max: 40 }), fc.nat(epochs - 1)))
  .map(([epoch, counter]) => epoch * epochs + counter);

function step(at: number, hasPosition: boolean): Step {
  const invocation: Event = {
    index: 0,
    time: 0,
    process: 0,
    type: "invoke",
    f: "sync",
    value: { path: "/" },
  };
  const made = new Step(invocation, "sync");
  made.zxid = at;
  made.hasPosition = hasPosition;
  return made;
}

describe("acknowledged writes", () => {
  test("are found by their zxids as in a Map", () => {
    const steps = fc.array(fc.tuple(zxid, fc.boolean()).map(([at, hasPosition]) => step(at, hasPosition)));
    const asked = fc.array(fc.oneof(zxid, fc.constantFrom(-2, -1, 0, 0.5, epochs + 1.5)));
    fc.assert(
      fc.property(steps, asked, (all, others) => {
        const twin = new Map<number, Step>();
        for (const each of all) if (each.hasPosition) twin.set(each.zxid, each);
        const acknowledged = new Acknowledged(all);
        for (const at of [...all.map((each) => each.zxid), ...others]) {
          expect(acknowledged.at(at)).toBe(twin.get(at));
        }
      }),
    );
  });
});
