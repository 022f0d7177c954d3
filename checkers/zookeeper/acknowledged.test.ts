import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Acknowledged } from "./acknowledged.ts";
import { EventRecord } from "./history/event-record.ts";
import { ListedEvents } from "./history/recorded-events.ts";
import { SeenPaths } from "./history/seen-paths.ts";
import { Step } from "./history/steps.ts";

const epochs = 2 ** 32;
const zxid = fc
  .tuple(fc.integer({ min: 0, max: 2 }), fc.oneof(fc.integer({ min: 1, max: 5 }), fc.nat(epochs - 1)))
  .map(([epoch, counter]) => epoch * epochs + counter);

function write(at: number, completedAt: number): Step {
  const made = new Step(new EventRecord(), new SeenPaths(), new ListedEvents([]));
  made.zxid = at;
  made.completedAt = completedAt;
  return made;
}

describe("acknowledged writes", () => {
  test("are found by their zxids as in a Map that holds the last answered of each", () => {
    const writes = fc
      .uniqueArray(fc.tuple(zxid, fc.nat()), { selector: ([, completedAt]) => completedAt })
      .chain((drawn) => fc.shuffledSubarray(drawn.map(([at, completedAt]) => write(at, completedAt))));
    const asked = fc.array(fc.oneof(zxid, fc.constantFrom(-2, -1, 0, 0.5, epochs + 1.5)));
    fc.assert(
      fc.property(writes, asked, (all, others) => {
        const inOrder = all.toSorted((a, b) => a.completedAt - b.completedAt);
        const twin = new Map(inOrder.map((step) => [step.zxid, step]));
        const acknowledged = new Acknowledged(all);
        for (const at of [...all.map((step) => step.zxid), ...others]) {
          expect(acknowledged.at(at)).toBe(twin.get(at));
        }
      }),
    );
  });
});
