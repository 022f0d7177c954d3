import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkAnswer,
  checkedOperation,
  encodeEvent,
  encodeHeader,
  type Event,
  HistoryLines,
  type Json,
  sessionsProcess,
  watchesProcess,
} from "../../../model/index.ts";
import { simulatedHistory } from "../simulated-history.ts";
import { EventLines } from "./event-lines.ts";
import { EventRecord } from "./event-record.ts";
import { kindNamed, type OperationKind } from "./operation-kinds.ts";

/*
 * The slow twin of EventLines: the line is parsed as JSON, checked as an event and as an operation, and the record
 * takes what it needs.
 */
function recordBySlowTwin(line: string): EventRecord {
  const events: Event[] = [];
  const lines = new HistoryLines({ file: "h" }, { take: (event) => events.push(event) });
  lines.write(Buffer.from(`${encodeHeader()}${line}\n`));
  const [event] = events as [Event];
  const record = new EventRecord();
  record.takeHead(event);
  if (event.process === watchesProcess || event.process === sessionsProcess) {
    expect(event.type).toBe("info");
    if (event.process === watchesProcess) record.takeWatch(event);
    else record.takeLife(event);
    return record;
  }
  const kind = kindNamed(event.f) as OperationKind;
  if (event.type === "invoke") {
    expect(checkedOperation(event)).toBe(kind.op);
    record.takeRequest(event, kind);
  } else if (record.isAnswer) {
    checkAnswer(event, kind.op);
    record.takeAnswer(event.value, kind.op);
  }
  return record;
}

/** What a step takes from a record. */
function taken(record: EventRecord): unknown {
  const { index, time, process, type, f, zxid, session, server, error } = record;
  const head = { index, time, process, type, f, zxid, session, server, error };
  if (process === watchesProcess) {
    const { path, ofSession, watchZxid } = record;
    return { ...head, path, ofSession, watchZxid };
  }
  if (process === sessionsProcess) return { ...head, life: record.life };
  const { op } = kindNamed(f) as OperationKind;
  if (type === "invoke") {
    const { path, data, version, mode, watch, isFinal, kind } = record;
    const operations = op === "multi" ? record.request?.["operations"] : record.request;
    return { ...head, path, data, version, mode, watch, isFinal, kind, operations };
  }
  if (!record.isAnswer) return head;
  const { path, data, stat, children, results } = record;
  return {
    ...head,
    path: op === "create" && type === "ok" ? path : "",
    data: op === "getData" ? data : undefined,
    stat,
    children: op === "getChildren" ? children : undefined,
    results: op === "multi" ? results : undefined,
  };
}

const record = new EventRecord();
const recognised = new EventLines(record);

/** Expects of a line that is recognised that the slow twin makes the same of it; whether it is. */
function isSame(line: string): boolean {
  const bytes = Buffer.from(`${line}\n`);
  const end = recognised.read(bytes, 0);
  if (end === -1) return false;
  expect(end).toBe(bytes.length - 1);
  const slow = recordBySlowTwin(line);
  expect(taken(record)).toEqual(taken(slow));
  return true;
}

const final = { path: "/r0", final: true, watch: false };
const stat = {
  czxid: 3,
  mzxid: 4,
  pzxid: 3,
  ctime: 1_767_225_600_814,
  mtime: 1_767_225_600_815,
  version: 1,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: "0x0",
  dataLength: 3,
  numChildren: 0,
};
const parts = [
  { op: "setData", path: "/a", data: null, version: 3 },
  { op: "create", path: "/b", data: "b", mode: "ephemeral" },
  { op: "create", path: "/c", data: null, mode: "persistent-sequential" },
  { op: "delete", path: "/d", version: -1 },
  { op: "check", path: "/e", version: 0 },
];
const results = [
  { op: "setData", stat },
  { op: "create", path: "/b" },
  { op: "create", path: "/c0000000000", stat: { ...stat, version: 0 } },
  { op: "delete" },
  { op: "check" },
];
const more: Event[] = [
  { index: 0, time: 0, process: 3, type: "invoke", f: "multi", value: { operations: parts } },
  { index: 0, time: 0, process: 3, type: "ok", f: "multi", value: { operations: parts, results }, zxid: 4 },
  { index: 1, time: 0, process: 0, type: "invoke", f: "getData", value: final },
  { index: 2, time: 5, process: 0, type: "ok", f: "getData", value: { ...final, data: null }, zxid: 7 },
  {
    index: 3,
    time: 5,
    process: 1,
    type: "invoke",
    f: "create",
    value: { path: "/a", data: null, mode: "container" },
  },
  {
    index: 4,
    time: 5,
    process: 1,
    type: "ok",
    f: "create",
    value: { path: "/a", data: null, mode: "container" },
  },
  {
    index: 5,
    time: 5,
    process: 1,
    type: "info",
    f: "sync+exists",
    value: { path: "/a" },
    xid: -4,
    error: "lost",
  },
  { index: 6, time: 5, process: 2, type: "invoke", f: "check", value: { path: "/a", version: 4 } },
  { index: 7, time: 5, process: 2, type: "ok", f: "getACL", value: { path: "/a" } },
  {
    index: 8,
    time: 5,
    process: 2,
    type: "ok",
    f: "getChildren",
    value: { path: "/a", children: [] },
    server: "",
  },
];
/** Those that have to be parsed. */
const others = new Set([
  "setWatches",
  "addWatch",
  "removeWatches",
  "closeSession",
  "setACL",
  "addAuth",
  "partition",
]);
const events = [1, 2, 3].flatMap((seed) =>
  simulatedHistory({ seed, steps: 1500, losses: 20, expiries: 10, lastingWatches: true }),
);
const frequent = [...events.filter(({ f }) => !others.has(f)), ...more];
const lines = frequent.map((event) => encodeEvent(event).trim());
const aLine = fc.nat(lines.length - 1).map((at) => lines[at] as string);
const anEvent = fc.nat(frequent.length - 1).map((at) => frequent[at] as Event);

function shuffled(value: Json, draw: (max: number) => number): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((each: Json) => shuffled(each, draw));
  const fields = Object.entries(value).map(([name, each]) => [name, shuffled(each as Json, draw)] as const);
  const order = fields.map((field) => ({ field, at: draw(1000) })).toSorted((a, b) => a.at - b.at);
  return Object.fromEntries(order.map(({ field }) => field));
}

/** The event with another value at one of its places. */
function withValue(value: Json, draw: (max: number) => number, other: Json): Json {
  if (typeof value !== "object" || value === null || draw(4) === 0) return other;
  const names = Object.keys(value);
  const name = names[draw(Math.max(0, names.length - 1))];
  if (name === undefined) return other;
  const fields = value as { readonly [name: string]: Json };
  const changed = { ...fields, [name]: withValue(fields[name] as Json, draw, other) };
  return Array.isArray(value) ? (Object.values(changed) as Json) : changed;
}

/** The last one of each. */
const ofEachKind = [...new Map(frequent.map((event) => [`${event.type} ${event.f}`, event])).values()];

/** The value without one of its fields or items, at any place. */
function withoutOne(value: Json): Json[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    return list.flatMap((each, at) => [
      list.toSpliced(at, 1),
      ...withoutOne(each).map((other) => list.with(at, other)),
    ]);
  }
  return Object.entries(value as { readonly [name: string]: Json }).flatMap(([name, each]) => {
    const rest = Object.fromEntries(Object.entries(value).filter(([other]) => other !== name)) as Json;
    return [rest, ...withoutOne(each).map((other) => Object.assign({}, value, { [name]: other }))];
  });
}

const anotherValue = fc.oneof(
  fc.constantFrom<Json>(
    "",
    "é",
    'a"b',
    "a\\b",
    "NoNode",
    "create",
    "info",
    "ok",
    "watches",
    "persistent-ttl",
    "\u007f",
    null,
    true,
    {},
    [],
    [1],
  ),
  fc.constantFrom<Json>(-1, 0, 0.5, 1e21, 2 ** 53, 2 ** 53 - 1, 10 ** 15, -(10 ** 14), 123456789012345),
);

describe("lines that are recognised", () => {
  test("are all of the frequent operations, of watch events and the life of sessions", () => {
    for (const line of lines) expect([line, isSame(line)]).toEqual([line, true]);
  });

  test("may have a space behind each colon and comma, and none elsewhere", () => {
    for (const line of lines) {
      const spaced = line.replace(/(?<=":|,(?=["{]))/g, " ");
      expect([spaced, isSame(spaced)]).toEqual([spaced, true]);
    }
    for (const event of ofEachKind) {
      const line = encodeEvent(event).trim();
      for (let at = 0; at <= line.length; at++)
        for (const space of [" ", "  ", "\t"]) isSame(line.slice(0, at) + space + line.slice(at));
    }
  });

  test("no others are", () => {
    const rest = events.filter(({ f }) => others.has(f));
    expect(rest.length).toBeGreaterThan(20);
    for (const event of rest) expect(isSame(encodeEvent(event).trim())).toBe(false);
    expect(isSame(encodeHeader().trim())).toBe(false);
  });

  test("may have their fields in any order", () => {
    fc.assert(
      fc.property(anEvent, fc.infiniteStream(fc.nat(1000)), (event, stream) => {
        const draw = (max: number): number => Number(stream.next().value) % (max + 1);
        const { value, type, f, process, ...rest } = shuffled(
          event as unknown as Json,
          draw,
        ) as unknown as Event;
        expect(isSame(JSON.stringify({ f, process, ...rest, type, value }))).toBe(true);
        expect(isSame(JSON.stringify({ value, f, type, process, ...rest }))).toBe(false);
      }),
    );
  });

  test("say what the slow twin makes of them, whatever they lack", () => {
    for (const event of ofEachKind) {
      for (const lacking of withoutOne(event as unknown as Json)) isSame(JSON.stringify(lacking));
      const line = encodeEvent(event).trim();
      for (const [value] of line.matchAll(/(?<=:)(true|false|null|\d+|"[^"]*")(?=[,}])/g))
        isSame(line.replace(value, ""));
    }
  });

  test("say what the slow twin makes of them, whatever one byte is", () => {
    for (const event of ofEachKind) {
      const line = encodeEvent(event).trim();
      for (let at = 0; at < line.length; at++) {
        const [before, after] = [line.slice(0, at), line.slice(at + 1)];
        for (const byte of ["", "0", "-", ".", '"', ",", "x", "]", "}"]) isSame(before + byte + after);
        isSame(before + line.charAt(at) + line.charAt(at) + after);
      }
    }
  });

  test("say what the slow twin makes of them, whatever bytes are changed", () => {
    const bytes = fc.constantFrom(
      ...'0123456789"{}[]:,.-+eE\\ntfa /'.split(""),
      "\u0000",
      "\t",
      "\u007f",
      "é",
    );
    const where = fc.array(fc.tuple(fc.nat(), bytes, fc.nat(2)), { minLength: 1, maxLength: 2 });
    let [same, lost] = [0, 0];
    fc.assert(
      fc.property(aLine, where, (line, changes) => {
        let text = line;
        for (const [at, byte, length] of changes) {
          const from = at % (text.length + 1);
          text = text.slice(0, from) + (length === 2 ? "" : byte) + text.slice(from + (length === 0 ? 0 : 1));
        }
        if (isSame(text)) same++;
        else lost++;
      }),
      { numRuns: 20_000 },
    );
    expect(Math.min(same, lost)).toBeGreaterThan(2000);
  });

  test("say what the slow twin makes of them, whatever values they have", () => {
    let [same, lost] = [0, 0];
    fc.assert(
      fc.property(anEvent, anotherValue, fc.infiniteStream(fc.nat(1000)), (event, other, stream) => {
        const draw = (max: number): number => Number(stream.next().value) % (max + 1);
        if (isSame(JSON.stringify(withValue(event as unknown as Json, draw, other)))) same++;
        else lost++;
      }),
      { numRuns: 10_000 },
    );
    expect(Math.min(same, lost)).toBeGreaterThan(500);
  });

  test("none has a field twice, or ends before the line does", () => {
    const [line] = lines as [string];
    expect(isSame(line.replace(/"time":\d+/, '$&,"time":1'))).toBe(false);
    expect(isSame(`${line} `)).toBe(false);
    expect(isSame(`${line}}`)).toBe(false);
    for (let length = 0; length < line.length; length++) expect(isSame(line.slice(0, length))).toBe(false);
    expect(recognised.read(Buffer.from(line), 0)).toBe(line.length);
  });
});
