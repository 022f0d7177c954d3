import { expect, it } from "vitest";
import { Frontier } from "./frontier.ts";
import { growable } from "./memory.ts";
import { makeSharedMemory } from "./shared.ts";

const stride = 2;

/** The frontiers of two workers on one memory, and a way to fill a chunk of theirs. */
function twoWorkers(): readonly [Frontier, Frontier] {
  const buffer = (): SharedArrayBuffer => growable(2 ** 10, 2 ** 16);
  const memory = makeSharedMemory(buffer(), {
    knowledge: buffer(),
    projections: buffer(),
    liveness: buffer(),
  });
  const of = (worker: number): Frontier =>
    new Frontier(memory, {
      worker,
      workers: 2,
      chunkInts: 2 ** 10,
      hasMemory: () => true,
      spill: undefined,
    });
  return [of(0), of(1)];
}

function fill(frontier: Frontier, rows: number): number {
  const chunk = frontier.allocate(0, rows) as number;
  frontier.publish(chunk, rows);
  return chunk;
}

it("gives a worker its own chunks first, then the last of the others, each once", () => {
  const [one, other] = twoWorkers();
  const chunks = [fill(one, 3), fill(other, 3), fill(one, 3), fill(other, 3), fill(one, 3)];
  expect(one.advance()).toBe(15);
  const order = [other, other, other, one, one, one, other];
  expect(order.map((frontier) => frontier.take())).toEqual([
    chunks[1],
    chunks[3],
    chunks[4],
    chunks[0],
    chunks[2],
    undefined,
    undefined,
  ]);
});

it("tells which states wait", () => {
  const [one, other] = twoWorkers();
  const first = fill(one, 3);
  fill(other, 4);
  one.advance();
  expect(other.unexpanded).toBe(7);
  expect(one.take()).toBe(first);
  expect([other.unexpanded, other.currentRows]).toEqual([4, 7]);
  fill(one, 5);
  expect(other.unexpanded).toBe(9);
});

it("gives what is added to a level while it is expanded", () => {
  const [one, other] = twoWorkers();
  fill(one, 3);
  one.advance();
  one.take();
  expect(one.take()).toBeUndefined();
  const late = one.allocate(0, 2) as number;
  one.publish(late, 2, (1 - one.nextList) as 0 | 1);
  expect(other.take()).toBe(late);
  expect(one.take()).toBeUndefined();
});

it("divides a small level into chunks for all, and no others", () => {
  const [one] = twoWorkers();
  const most = one.rowsMax(stride);
  const share = (rows: number): number => {
    fill(one, rows);
    one.advance();
    return one.rowsMax(stride);
  };
  expect(share(1)).toBe(8);
  expect(share(200)).toBe(25);
  expect(most).toBe(8);
  expect(share(100_000)).toBe(512);
});
