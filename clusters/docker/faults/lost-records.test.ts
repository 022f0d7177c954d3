import fc from "fast-check";
import { expect, test } from "vitest";
import type { Transaction } from "../../../model/index.ts";
import { logFile, logRecord } from "../../protocol/index.ts";
import { lostRecords } from "./lost-records.ts";

const zxid = (epoch: number, counter: number): number => epoch * 2 ** 32 + counter;
const transaction = (of: number): Transaction => ({
  header: { session: "0x1", cxid: 1, zxid: of, timeMs: 0 },
  body: { type: "setData", path: "/a", data: "x", version: of % 1000 },
});
const log = (zxids: readonly number[]): Buffer => logFile(zxids.map(transaction), 200);

/** A log whose record at a place was not written to its end, with the others behind it. */
function torn(zxids: readonly number[], at: number): Buffer {
  const records = zxids.map((of) => logRecord(transaction(of)));
  const broken = Buffer.from(records[at]!);
  broken.fill(0, broken.length - 10);
  return logFile([...records.slice(0, at), broken, ...records.slice(at + 1)]);
}

test("epochs one after the other, each numbered from 1, are whole, over however many files", () => {
  const shape = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(shape, fc.integer({ min: 1, max: 5 }), (counts, perFile) => {
      const zxids = counts.flatMap((count, epoch) =>
        Array.from({ length: count }, (_, i) => zxid(epoch + 1, i + 1)),
      );
      const logs: Record<string, Buffer> = {};
      for (let i = 0; i < zxids.length; i += perFile)
        logs[`log.${zxids[i]}`] = log(zxids.slice(i, i + perFile));
      expect(lostRecords(logs, [])).toBeUndefined();
      // Any one that is left out in the middle is missed.
      if (zxids.length < 3) return;
      const without = zxids.toSpliced(Math.floor(zxids.length / 2), 1);
      const last = zxids[Math.floor(zxids.length / 2)]! % 2 ** 32;
      const isLastOfEpoch = !zxids.includes(zxids[Math.floor(zxids.length / 2)]! + 1);
      expect(lostRecords({ "log.1": log(without) }, []) === undefined).toBe(isLastOfEpoch && last >= 1);
    }),
  );
});

test("whole records behind a torn one are lost, unless another log has them", () => {
  const zxids = [1, 2, 3, 4, 5].map((counter) => zxid(1, counter));
  const logs = { "log.1": torn(zxids, 2) };
  expect(lostRecords(logs, [])).toBe(
    "2 records stand behind one that was not written to its end, from 0x100000004 on",
  );
  expect(lostRecords({ ...logs, "log.3": log(zxids.slice(2)) }, [])).toBeUndefined();
});

test("a torn record at the end of a log is nobody's loss", () => {
  expect(lostRecords({ "log.1": torn([zxid(1, 1), zxid(1, 2)], 1) }, [])).toBeUndefined();
});

test("what the newest snapshot contains need not be in a log, and nothing between it and the log may be missing", () => {
  const later = [7, 8, 9].map((counter) => zxid(3, counter));
  expect(lostRecords({ "log.1": log([zxid(1, 1)]), "log.2": log(later) }, [0, zxid(3, 6)])).toBeUndefined();
  expect(lostRecords({ "log.2": log(later) }, [zxid(3, 5)])).toBe("0x300000007 stands behind 0x300000005");
  expect(lostRecords({ "log.2": log(later) }, [])).toBe("0x300000007 stands behind 0x0");
});

test("files that are no logs, and none at all, hold nothing that could be lost", () => {
  expect(lostRecords({}, [])).toBeUndefined();
  expect(
    lostRecords({ "log.1": Buffer.alloc(0), "log.2": Buffer.from("something else") }, [5]),
  ).toBeUndefined();
});
