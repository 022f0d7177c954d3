import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { answersTo, requests } from "./arbitraries.ts";
import { opCode } from "./codes.ts";
import { ProtocolError } from "./errors.ts";
import { JuteReader } from "./jute-reader.ts";
import { JuteWriter } from "./jute-writer.ts";
import { readReplyHeader } from "./records.ts";
import { readAnswer, writeAnswer } from "./replies.ts";
import { readRequest, requestType, unsupported, writeRequest } from "./requests.ts";

function bytesOf(write: (writer: JuteWriter) => void): Buffer {
  const writer = new JuteWriter();
  write(writer);
  return writer.take();
}

const requestsWithAnswers = requests.chain((request) =>
  answersTo(request).map((answer) => ({ request, answer })),
);

describe("jute records", () => {
  test("every request comes back as it was written, in every dialect that can say it", () => {
    fc.assert(
      fc.property(requests, fc.constantFrom("3.4", "3.5", "3.6"), fc.nat(), (request, dialect, xid) => {
        fc.pre(unsupported(request, dialect) === undefined);
        const bytes = bytesOf((writer) => writeRequest(writer, request, xid, dialect));
        const received = readRequest(new JuteReader(bytes));
        const expected = request.op === "check" ? { op: "multi", operations: [request] } : request;
        expect(received).toEqual({ xid, type: requestType(request, dialect), request: expected });
      }),
      { numRuns: 500 },
    );
  });

  test("every answer comes back as it was written", () => {
    fc.assert(
      fc.property(requestsWithAnswers, ({ request, answer }) => {
        fc.pre(request.op !== "check");
        const type = requestType(request, "3.6");
        const bytes = bytesOf((writer) => writeAnswer(writer, 7, type, answer));
        const reader = new JuteReader(bytes);
        const header = readReplyHeader(reader);
        expect(header).toMatchObject({ xid: 7, zxid: answer.zxid });
        expect(readAnswer(reader, request, type, header)).toEqual(answer);
      }),
      { numRuns: 500 },
    );
  });

  test("an answer cut short or changed in any byte gives an answer or a ProtocolError, nothing else", () => {
    fc.assert(
      fc.property(requestsWithAnswers, fc.nat(), fc.nat({ max: 255 }), ({ request, answer }, at, byte) => {
        const type = requestType(request, "3.6");
        const bytes = bytesOf((writer) =>
          writeAnswer(
            writer,
            7,
            type === opCode.multi && request.op === "check" ? opCode.delete : type,
            answer,
          ),
        );
        const changed = Buffer.from(bytes);
        changed[at % bytes.length] = byte;
        for (const candidate of [
          changed,
          bytes.subarray(0, at % bytes.length),
          Buffer.concat([bytes, changed]),
        ]) {
          try {
            const reader = new JuteReader(candidate);
            readAnswer(reader, request, type, readReplyHeader(reader));
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("session ids keep all 64 bits", () => {
    for (const session of ["0x0", "0xffffffffffffffff", "0x1000012ab340000", "0x80000000", "0x100000000"]) {
      const bytes = bytesOf((writer) => writer.hex64(session));
      expect(new JuteReader(bytes).hex64("session")).toBe(session);
    }
  });

  test.each<[string, (writer: JuteWriter) => void, (reader: JuteReader) => unknown, RegExp]>([
    [
      "a zxid beyond 2^53",
      (w) => w.hex64("0x20000000000000"),
      (r) => r.zxid("zxid"),
      /zxid: expected a zxid with an epoch below 2\^21 at byte 0/,
    ],
    ["a zxid below -1", (w) => w.i64(-2), (r) => r.zxid("zxid"), /expected a zxid/],
    [
      "a negative length",
      (w) => w.i32(-2),
      (r) => r.string("path"),
      /path: expected a length from -1 to the 0 bytes left at byte 0, found -2/,
    ],
    ["a length beyond the frame", (w) => w.i32(5), (r) => r.buffer("data"), /expected a length/],
    [
      "a count beyond the frame",
      (w) => w.i32(0x7fff_ffff),
      (r) => r.vector("acl", 12, (from) => from.i32("x")),
      /acl: expected a count from -1 to the 0 items that fit/,
    ],
    [
      "bytes that are no UTF-8",
      (w) => w.buffer(Buffer.from([0xc3, 0x28])),
      (r) => r.string("path"),
      /path: expected UTF-8 text at byte 4, found bytes c328/,
    ],
    [
      "null where a text must be",
      (w) => w.i32(-1),
      (r) => r.string("path"),
      /path: expected a text at byte 0, found null/,
    ],
    [
      "a boolean of 2",
      (w) => w.i8(2),
      (r) => r.bool("watch"),
      /watch: expected a boolean, 0 or 1, at byte 0|found 2/,
    ],
    ["missing bytes", (w) => w.i8(2), (r) => r.i32("xid"), /xid: expected 4 bytes at byte 0, found 1 left/],
  ])("refuses %s", (_, write, read, message) => {
    expect(() => read(new JuteReader(bytesOf(write)))).toThrow(message);
  });

  test("the replacement character itself is valid text", () => {
    const bytes = bytesOf((writer) => writer.string("a\ufffdb"));
    expect(new JuteReader(bytes).string("data")).toBe("a\ufffdb");
  });

  test("text that UTF-8 cannot carry is refused before it is sent", () => {
    expect(() => bytesOf((writer) => writer.string("\ud800"))).toThrow(/half of a surrogate pair/);
  });
});
