import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { casRegister, encodeEvent, encodeHeader, type Event, etcd, InputError } from "../../model/index.ts";
import { drawFrom, simulatedHistory, simulatedTypes } from "../linearizability/random-histories.ts";
import { linearizable } from "../linearizability/index.ts";
import { type Format, type History, readerFor } from "./index.ts";

/*
 * Files as they are found after a crash or a bad copy: cut off, with bytes changed, left out, or put in. A reader gives
 * a history or an InputError that names file and line; what it gives of a file that was cut off is the beginning of
 * what the whole file says.
 */
const shape = { processes: 3, operations: 12, unanswered: 10, failed: 0 };

function recorded(seed: number): readonly Event[] {
  const type = simulatedTypes["plain register"];
  if (type === undefined) throw new Error("no such type");
  return simulatedHistory(type, shape, 0, drawFrom(seed)).map((event, at) => ({ ...event, time: 10 * at }));
}

const edn = (value: Event["value"]): string => (value === null ? "nil" : JSON.stringify(value));

const writers: { readonly [format in Format]: (events: readonly Event[]) => string } = {
  zabcheck: (events) => encodeHeader() + events.map((event) => encodeEvent(event)).join(""),
  "jepsen-edn": (events) =>
    events
      .map(
        ({ process, type, f, value, time }) =>
          `{:process ${process}, :type :${type}, :f :${f}, :value ${edn(value)}, :time ${time}}\n`,
      )
      .join(""),
  "jepsen-log": (events) =>
    events
      .map(
        ({ process, type, f, value }) => `INFO  jepsen.util - ${process}\t:${type}\t:${f}\t${edn(value)}\n`,
      )
      .join(""),
  "etcd-report": (events) =>
    events
      .filter(({ type }) => type === "invoke")
      .map((call) => {
        const end = events.find(({ process, index }) => process === call.process && index > call.index);
        const key = { Key: "k", Value: { Value: String(call.value) } };
        const write = { Type: "txn", Txn: { OperationsOnSuccess: [{ Type: "put-operation", Put: key }] } };
        const read = { Type: "range", Range: { Start: "k", End: "", Limit: 0, Revision: 0 } };
        const Input = call.f === "write" ? write : read;
        const isAnswered = end?.type === "ok";
        const Output = isAnswered ? { Txn: { Results: [{}] }, Revision: 0 } : { Error: "timeout" };
        const numbers = { Call: call.time, Return: isAnswered ? end.time : 0 };
        return `${JSON.stringify({ ClientId: call.process, Input, Output, ...numbers })}\n`;
      })
      .join(""),
};

function read(format: Format, bytes: Uint8Array, size: number): History {
  const reader = readerFor(format, "file");
  for (let at = 0; at < bytes.length; at += size) reader.write(bytes.subarray(at, at + size));
  return reader.end();
}

/** Undefined for an error that says what is wrong, and where. */
function readOrRefuse(format: Format, bytes: Uint8Array, size: number): History | undefined {
  try {
    return read(format, bytes, size);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    expect(String(error)).toMatch(/file:\d+: /);
    return undefined;
  }
}

interface Damage {
  readonly at: number;
  readonly how: "flip" | "drop" | "insert" | "repeat";
  readonly byte: number;
  readonly length: number;
}

function damage(bytes: Uint8Array, { at, how, byte, length }: Damage): Uint8Array {
  const place = at % bytes.length;
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  if (how === "drop") return Uint8Array.from([...before, ...after.subarray(length)]);
  if (how === "repeat") return Uint8Array.from([...before, ...after.subarray(0, length), ...after]);
  const rest = how === "flip" ? after.subarray(1) : after;
  return Uint8Array.from([...before, byte, ...rest]);
}

const damages = fc.array(
  fc.record<Damage>({
    at: fc.nat(),
    how: fc.constantFrom("flip", "drop", "insert", "repeat"),
    byte: fc.oneof(fc.integer({ min: 32, max: 126 }), fc.nat(255)),
    length: fc.integer({ min: 1, max: 200 }),
  }),
  { minLength: 1, maxLength: 3 },
);

describe.each(Object.keys(writers) as Format[])("%s", (format) => {
  const bytesOf = (seed: number): Uint8Array => new TextEncoder().encode(writers[format](recorded(seed)));

  test("damaged files are histories or errors, and nothing else", () => {
    let [histories, errors] = [0, 0];
    const specification = format === "etcd-report" ? etcd() : casRegister();
    fc.assert(
      fc.property(fc.integer({ min: 1 }), damages, fc.integer({ min: 1, max: 5000 }), (seed, list, size) => {
        const history = readOrRefuse(format, list.reduce(damage, bytesOf(seed)), size);
        if (history === undefined) {
          errors++;
          return;
        }
        histories++;
        try {
          linearizable<never>(history.events, specification as never, { locate: history.locate });
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect(String(error)).toMatch(/file:\d+: /);
        }
      }),
      { numRuns: 400, seed: 3 },
    );
    expect(Math.min(histories, errors)).toBeGreaterThan(0);
  });

  test("a file that was cut off says the beginning of what it said, or is refused", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.nat(), fc.integer({ min: 1, max: 500 }), (seed, at, size) => {
        const bytes = bytesOf(seed);
        const cut = bytes.subarray(0, at % bytes.length);
        const history = readOrRefuse(format, cut, size);
        if (history === undefined) return;
        const text = (event: Event): string =>
          JSON.stringify([event.process, event.type, event.f, event.value]);
        const whole = read(format, bytes, 1000).events.map(text);
        const events = history.events.map(text);
        if (format === "etcd-report") {
          // Lines are in the order of the calls, events in that of time.
          for (const event of events) expect(whole).toContain(event);
        } else if (history.warnings.some((warning) => warning.includes("no line feed")))
          // Nothing in a log tells whether its last line is whole: that is said.
          expect(events.slice(0, -1)).toEqual(whole.slice(0, events.length - 1));
        else expect(events).toEqual(whole.slice(0, events.length));
        const lines = cut.filter((byte) => byte === 10).length;
        const isWhole = cut.at(-1) === 10;
        if (isWhole && format !== "etcd-report")
          expect(events.length).toBe(format === "zabcheck" ? lines - 1 : lines);
      }),
      { numRuns: 300, seed: 3 },
    );
  });
});
