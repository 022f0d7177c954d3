import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { FrameReader } from "./frames.ts";

function frame(payload: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeInt32BE(payload.length);
  return Buffer.concat([header, payload]);
}

function framesOf(chunks: readonly Buffer[], bytesMax?: number): string[] {
  const reader = new FrameReader(bytesMax);
  const frames: string[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let next = reader.next(); next !== undefined; next = reader.next())
      frames.push(next.toString("hex"));
  }
  return frames;
}

describe("FrameReader", () => {
  test("gives the same frames for every split of the stream in two", () => {
    const payloads = [
      Buffer.from("a"),
      Buffer.alloc(0),
      Buffer.from("two frames"),
      Buffer.from([0, 0, 0, 9]),
    ];
    const stream = Buffer.concat(payloads.map(frame));
    for (let at = 0; at <= stream.length; at += 1) {
      expect(framesOf([stream.subarray(0, at), stream.subarray(at)])).toEqual(
        payloads.map((p) => p.toString("hex")),
      );
    }
  });

  test("gives the same frames for random streams in random chunks", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1 }),
        (payloads, sizes) => {
          const stream = Buffer.concat(payloads.map(frame));
          const chunks: Buffer[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            chunks.push(stream.subarray(at, at + size));
            at += size;
          }
          expect(framesOf(chunks)).toEqual(payloads.map((payload) => Buffer.from(payload).toString("hex")));
        },
      ),
    );
  });

  test.each([-1, -(2 ** 31), 1025, 2 ** 31 - 1])(
    "refuses the length %i before it reserves anything",
    (length) => {
      const header = Buffer.alloc(4);
      header.writeInt32BE(length);
      expect(() => framesOf([header], 1024)).toThrow(
        `frame: expected a length from 0 to 1024 bytes, found ${length}`,
      );
    },
  );

  test("says when a frame is torn", () => {
    const reader = new FrameReader();
    reader.push(frame(Buffer.from("whole")));
    reader.next();
    expect(reader.torn).toBe(false);
    reader.push(Buffer.from([0, 0]));
    expect(reader.next()).toBeUndefined();
    expect(reader.torn).toBe(true);
  });
});
