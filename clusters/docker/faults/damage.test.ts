import fc from "fast-check";
import { expect, test } from "vitest";
import type { Transaction } from "../../../model/index.ts";
import { bufferSource, logFile, readLog } from "../../protocol/index.ts";
import { damagedLog } from "./damage.ts";

const transaction = (zxid: number): Transaction => ({
  header: { session: "0x1", cxid: zxid, zxid, timeMs: 0 },
  body: { type: "setData", path: "/a", data: "x".repeat(zxid % 50), version: zxid },
});

/** The zxids that a server would read, and how the log ends for it. */
function reading(log: Buffer): { readonly zxids: readonly number[]; readonly end: string } {
  const records = readLog(bufferSource(log));
  const zxids: number[] = [];
  for (;;) {
    const next = records.next();
    if (next.done === true) return { zxids, end: next.value.kind };
    zxids.push(next.value.transaction.header.zxid);
  }
}

test("a torn log ends in its last record, whatever was preallocated behind it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(2000), (count, padding) => {
      const zxids = Array.from({ length: count }, (_, i) => i + 1);
      const torn = damagedLog(logFile(zxids.map(transaction), padding), "torn")!;
      expect(reading(torn)).toEqual({ zxids: zxids.slice(0, -1), end: "torn" });
    }),
  );
});

test("a flipped bit is one bit, and spoils the record in the middle", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), (count) => {
      const zxids = Array.from({ length: count }, (_, i) => i + 1);
      const log = logFile(zxids.map(transaction), 100);
      const flipped = damagedLog(log, "flipped")!;
      expect(flipped).toHaveLength(log.length);
      const different = [...log.keys()].filter((i) => log[i] !== flipped[i]);
      expect(different).toHaveLength(1);
      expect(reading(flipped)).toEqual({ zxids: zxids.slice(0, Math.floor(count / 2)), end: "damaged" });
    }),
  );
});

test("a log without records is not damaged, as nobody would notice", () => {
  expect(damagedLog(logFile([], 500), "torn")).toBeUndefined();
  expect(damagedLog(logFile([], 500), "flipped")).toBeUndefined();
});
