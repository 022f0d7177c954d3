import fc from "fast-check";
import { expect, test } from "vitest";
import { nextJob } from "./admission.ts";
import { job } from "./for-tests.ts";
import type { Job } from "./job.ts";

const jobs = fc
  .array(
    fc.record({ memoryBytes: fc.integer({ min: 1, max: 20 }), processors: fc.integer({ min: 1, max: 4 }) }),
    {
      maxLength: 20,
    },
  )
  .map((needs) => needs.map((need, i) => job(`job-${i}`, [], need)));

test("jobs that run together fit into memory and processors, one alone may not, and all have their turn", () => {
  const capacity = { memoryBytes: 10, processors: 3 };
  fc.assert(
    fc.property(jobs, fc.array(fc.nat(), { maxLength: 200 }), (all, choices) => {
      let waiting: readonly Job[] = all;
      let running: readonly Job[] = [];
      const done: Job[] = [];
      const choice = (turn: number): number => choices[turn % Math.max(1, choices.length)] ?? 0;
      for (let turn = 0; done.length < all.length; turn++) {
        expect(turn).toBeLessThan(1000);
        const next = nextJob(waiting, running, capacity);
        if (next !== undefined) {
          waiting = waiting.filter((each) => each !== next);
          running = [...running, next];
          const [memory, processors] = [
            running.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
            running.reduce((sum, each) => sum + each.processors, 0),
          ];
          if (running.length > 1) {
            expect(memory).toBeLessThanOrEqual(capacity.memoryBytes);
            expect(processors).toBeLessThanOrEqual(capacity.processors);
          }
          continue;
        }
        expect(running.length).toBeGreaterThan(0);
        const over = running[choice(turn) % running.length]!;
        running = running.filter((each) => each !== over);
        done.push(over);
      }
    }),
  );
});
