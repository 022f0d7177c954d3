import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "./errors.ts";
import type { Event, Json } from "./history.ts";
import { HistoryBuilder } from "./history-builder.ts";
import { encodeEvent, encodeHeader } from "./history-codec.ts";
import { HistoryDecoder } from "./history-lines.ts";
import { pairOperations } from "./history-operations.ts";

const encoder = new TextEncoder();

function decode(
  text: string | Uint8Array,
  chunk = 1 << 16,
  lineBytesMax = 1000,
): ReturnType<HistoryDecoder["end"]> {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  const decoder = new HistoryDecoder({ file: "h.jsonl", lineBytesMax });
  const events: Event[] = [];
  for (let at = 0; at < bytes.length; at += chunk)
    events.push(...decoder.write(bytes.subarray(at, at + chunk)));
  const { events: last, torn } = decoder.end();
  return { events: [...events, ...last], torn };
}

function encode(events: readonly Event[]): string {
  return encodeHeader() + events.map(encodeEvent).join("");
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return "accepted";
}

const json: fc.Arbitrary<Json> = fc
  .jsonValue({ maxDepth: 2 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Json);

const histories: fc.Arbitrary<readonly Event[]> = fc
  .array(
    fc.record({
      process: fc.nat(3),
      type: fc.constantFrom("ok", "fail", "info"),
      value: json,
      zxid: fc.option(fc.maxSafeNat(), { nil: undefined }),
      gap: fc.nat(5),
    }),
    { maxLength: 30 },
  )
  .map((steps) => {
    const builder = new HistoryBuilder();
    const open = new Set<number>();
    let time = 0;
    for (const { process, type, value, zxid, gap } of steps) {
      builder.at((time += gap));
      if (open.delete(process)) builder[type](process, value, zxid === undefined ? {} : { zxid });
      else {
        open.add(process);
        builder.invoke(process, `f${process}`, value);
      }
      time++;
    }
    return builder.events;
  });

describe("history", () => {
  const sample = new HistoryBuilder()
    .invoke(0, "write", 1)
    .invoke(1, "read")
    .ok(1, "é😀", { zxid: 7, server: "server-1", session: "0x1", xid: 3 })
    .add({ process: "faults", type: "info", f: "partition", value: { cuts: [] } })
    .info(0, undefined, { error: "timeout" }).events;

  test("every history comes back from its text, however the bytes are cut", () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 50 }), (events, chunk) => {
        expect(decode(encode(events), chunk, 1 << 20)).toEqual({ events, torn: undefined });
      }),
    );
  });

  test("a text cut off at any byte gives a prefix and says what was torn", () => {
    const bytes = encoder.encode(encode(sample));
    for (let length = 1; length < bytes.length; length++) {
      const { events, torn } = decode(bytes.subarray(0, length));
      expect(events).toEqual(sample.slice(0, events.length));
      const feed = bytes[length - 1] === 10;
      if (feed) expect(torn).toBeUndefined();
      else if (torn === undefined) expect(bytes[length]).toBe(10);
      else
        expect(torn.line).toBe(events.length === 0 && length < encodeHeader().length ? 1 : events.length + 2);
    }
  });

  test("names file, line and what was expected of a bad line", () => {
    const bad = (line: string): string => messageOf(() => decode(`${encode(sample.slice(0, 2))}${line}\n`));
    const event = { index: 2, time: 9, process: 1, type: "ok", f: "read", value: 1 };
    const with_ = (change: object): string => bad(JSON.stringify({ ...event, ...change }));
    expect(with_({})).toBe("accepted");
    expect(bad("{")).toBe(
      "h.jsonl:4: this is no JSON; expected an event in JSON: {index, time, process, type, f, value}",
    );
    expect(bad("")).toMatch(/^h.jsonl:4: this is no JSON/);
    expect(bad("[]")).toMatch(/no object/);
    expect(with_({ index: -1 })).toBe("h.jsonl:4: index is -1; expected an integer from 0 on");
    expect(with_({ index: 1 })).toMatch(/^h.jsonl:4: index 1 follows index 1/);
    expect(with_({ time: 0 })).toMatch(/^h.jsonl:4: time runs back from 1 to 0/);
    expect(with_({ time: 1.5 })).toMatch(/time is 1.5; expected an integer/);
    expect(with_({ process: null })).toMatch(/process is null/);
    expect(with_({ process: 2 })).toMatch(/ok read of process 2 completes nothing; expected an invocation/);
    expect(with_({ type: "invoke" })).toMatch(/process 1 invokes read while its read of event 1 is open/);
    expect(with_({ type: "okay" })).toMatch(/type is "okay"; expected invoke, ok, fail or info/);
    expect(with_({ f: "write" })).toMatch(/follows its invocation of read/);
    expect(with_({ f: 1 })).toMatch(/f is 1/);
    expect(with_({ value: undefined })).toMatch(/value is missing/);
    expect(with_({ zxid: "1" })).toMatch(/zxid is "1"; expected an integer/);
    expect(with_({ stat: { czxid: 1 } })).toMatch(/stat is not whole/);
  });

  test("refuses what is no history", () => {
    expect(messageOf(() => decode(""))).toBe("h.jsonl:1: the file is empty; expected a history");
    expect(messageOf(() => decode("hello"))).toMatch(
      /^h.jsonl:1: this is no history of zabcheck; expected \{"format"/,
    );
    expect(messageOf(() => decode("{:type :invoke}\n"))).toMatch(/no history/);
    expect(messageOf(() => decode('{"format":"zabcheck-history","version":2}\n'))).toMatch(
      /version 2 of the format; expected version 1/,
    );
    expect(messageOf(() => decode(Uint8Array.of(255, 254, 0, 10)))).toMatch(/no UTF-8/);
    const event = new Uint8Array([...encoder.encode(encode(sample.slice(0, 1))), 34, 255, 34, 10]);
    expect(messageOf(() => decode(event))).toMatch(/^h.jsonl:3: these bytes are no UTF-8/);
  });

  test("refuses a line that is too long before it has read it", () => {
    const decoder = new HistoryDecoder({ file: "h.jsonl", lineBytesMax: 1000 });
    decoder.write(encoder.encode(encodeHeader()));
    const chunk = new Uint8Array(400).fill(32);
    decoder.write(chunk);
    decoder.write(chunk);
    expect(messageOf(() => decoder.write(chunk))).toMatch(/^h.jsonl:2: the line is longer than 1000 bytes/);
    const long = `${encodeHeader()}${" ".repeat(2000)}\n`;
    expect(messageOf(() => decode(long))).toMatch(/^h.jsonl:2: the line is longer/);
  });

  test("pairs invocations with completions, and leaves out what nobody invoked", () => {
    expect(pairOperations(sample).map(({ f, completion }) => [f, completion?.type])).toEqual([
      ["write", "info"],
      ["read", "ok"],
    ]);
    expect(pairOperations(sample.slice(0, 1))[0]?.completion).toBeUndefined();
    expect(messageOf(() => pairOperations(sample.slice(1).slice(1)))).toMatch(/completes nothing/);
  });

  test("the builder refuses a second open operation", () => {
    expect(messageOf(() => new HistoryBuilder().invoke(0, "a").invoke(0, "b"))).toMatch(/is open/);
    expect(messageOf(() => new HistoryBuilder().ok(0))).toMatch(/completes nothing/);
  });
});
