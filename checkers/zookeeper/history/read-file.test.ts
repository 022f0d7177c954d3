import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import {
  encodeEvent,
  encodeHeader,
  type Event,
  HistoryBuilder,
  HistoryDecoder,
  type Json,
  type ZnodeRequest,
} from "../../../model/index.ts";
import { checkZookeeper, judgeZookeeper } from "../check.ts";
import { readHistory } from "./intake.ts";
import { readZookeeperFile } from "./read-file.ts";
import { type SimulatedDefect, simulatedHistory } from "../simulated-history.ts";
import type { Step } from "./steps.ts";
import type { ZookeeperHistory } from "./zookeeper-history.ts";

const folder = mkdtempSync(join(tmpdir(), "zabcheck-read-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "history.jsonl");

function textOf(events: readonly Event[]): string {
  return encodeHeader() + events.map(encodeEvent).join("");
}

function told(step: Step): unknown {
  const { kind, process, path, data, version, mode, syncedSince, identities, invokedAt, completedAt } = step;
  const { outcome, zxid, session, server, error, created, stat, children, results } = step;
  const { setsWatches, isFinal, hasPosition, isAnswered } = step;
  const [invocation, completion] = [step.invocation.read(), step.completion?.read()];
  const request = kind.isPlain && !step.hasAcl ? undefined : step.writeRequest;
  return [
    [kind, process, path, data, version, mode, syncedSince, identities, invokedAt, completedAt],
    [outcome, zxid, session, server, error, created, stat, children, results],
    [setsWatches, isFinal, hasPosition, isAnswered, invocation, completion, request],
  ];
}

/** Everything that checks look at. */
function whole(history: ZookeeperHistory): unknown {
  const { steps, watches, sessions, floor, lastAlive, deletedPaths, mortalPaths, usesAcls } = history;
  const { completed, answered, determined, positioned, open, creates, closings, watching, synced } = history;
  const lists = [completed, answered, determined, positioned, open, creates, closings, watching, synced];
  const places = lists.map((list) => list.map((step) => step.invokedAt));
  return [steps.map(told), watches, sessions, floor, lastAlive, deletedPaths, mortalPaths, usesAcls, places];
}

/** The slow twin: every line is decoded. */
function bySlowTwin(text: string): unknown {
  const decoder = new HistoryDecoder({ file });
  return whole(readHistory([...decoder.write(Buffer.from(text)), ...decoder.end().events]));
}

function outcomeOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return String(error);
  }
}

const defects: (SimulatedDefect | undefined)[] = [undefined, "lost-write", "event-twice", "session-lives-on"];

const acl = [{ permissions: 31, scheme: "world", id: "anyone" }];
const stat = {
  czxid: 1,
  mzxid: 2,
  pzxid: 1,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: "0x0",
  dataLength: 1,
  numChildren: 0,
};
const checks = { op: "check", path: "/a", version: 0 };
const creates = { op: "create", path: "/b", data: null, mode: "persistent" };

/** A request of every operation, with what an ok tells besides. */
const everyOperation: { readonly [op in ZnodeRequest["op"]]: readonly [Fields, Fields] } = {
  create: [
    { path: "/a", data: "x", mode: "ephemeral" },
    { path: "/a", stat },
  ],
  delete: [{ path: "/a", version: 1 }, {}],
  setData: [{ path: "/a", data: null, version: -1 }, { stat }],
  check: [{ path: "/a", version: 0 }, {}],
  exists: [{ path: "/a", watch: true }, { stat }],
  getData: [
    { path: "/a", watch: false },
    { data: "x", stat },
  ],
  getChildren: [{ path: "/a" }, { children: ["b"], stat }],
  getACL: [{ path: "/a" }, { acl, stat }],
  setACL: [{ path: "/a", acl, version: 0 }, { stat }],
  sync: [{ path: "/a" }, { path: "/a" }],
  multi: [
    { operations: [checks, creates] },
    { results: [{ op: "check" }, { op: "create", path: "/b", stat }] },
  ],
  addWatch: [{ path: "/a", mode: "persistent" }, {}],
  removeWatches: [{ path: "/a", kind: "any" }, {}],
  setWatches: [
    {
      relativeZxid: 1,
      data: ["/a"],
      exists: ["/b"],
      children: [],
      persistent: [],
      persistentRecursive: ["/"],
    },
    {},
  ],
  addAuth: [{ scheme: "digest", auth: "a:b" }, {}],
  reconfig: [{ joining: null, leaving: null, members: null, version: -1 }, {}],
  closeSession: [{}, {}],
};
type Fields = { readonly [name: string]: Json };

const operations = fc.array(
  fc.record({
    op: fc.constantFrom(...(Object.keys(everyOperation) as ZnodeRequest["op"][])),
    ends: fc.constantFrom("ok", "rejected", "unsent", "unknown", "not at all"),
    more: fc.constantFrom<Fields>({}, {}, { acl }, { ttlMs: 4 }, { final: true }),
    session: fc.constantFrom("0x1", "0x2"),
    server: fc.constantFrom("server-1", "server-2"),
    zxids: fc.nat(2),
  }),
  { maxLength: 20 },
);

describe("a history that is read without its events", () => {
  test("is what it is with them, and gets the same verdicts with the same evidence", () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...defects), (seed, defect) => {
        const common = { seed, steps: 700, losses: 20, expiries: 10, lastingWatches: seed % 2 === 0 };
        const events = simulatedHistory(defect === undefined ? common : { ...common, defect });
        writeFileSync(file, textOf(events));
        const { history, operations, warnings } = readZookeeperFile(file);
        expect(whole(history)).toEqual(whole(readHistory(events)));
        expect([operations, warnings]).toEqual([events.filter(({ type }) => type === "invoke").length, []]);
        expect(judgeZookeeper(history)).toEqual(checkZookeeper(events));
      }),
      { numRuns: 24 },
    );
  });

  test("is judged as with them whatever was asked and answered", () => {
    fc.assert(
      fc.property(operations, (list) => {
        const builder = new HistoryBuilder();
        let zxid = 2 ** 32;
        list.forEach(({ op, ends, more, session, server, zxids }, process) => {
          const [request, answer] = everyOperation[op];
          const value = { ...request, ...more };
          const connection = { session, server };
          builder.invoke(process, op, value, connection);
          zxid += zxids;
          if (ends === "ok") builder.ok(process, { ...value, ...answer }, { ...connection, zxid });
          if (ends === "rejected") builder.fail(process, value, { ...connection, zxid, error: "BadVersion" });
          if (ends === "unsent") builder.fail(process, value, { ...connection, error: "no connection" });
          if (ends === "unknown") builder.info(process, value, { ...connection, error: "lost" });
        });
        writeFileSync(file, textOf(builder.events));
        const { history } = readZookeeperFile(file);
        expect(whole(history)).toEqual(whole(readHistory(builder.events)));
        expect(judgeZookeeper(history)).toEqual(checkZookeeper(builder.events));
      }),
      { numRuns: 400 },
    );
  });

  test("is refused as by decoding every line, whatever is damaged", () => {
    const texts = [1, 2, 3].map((seed) =>
      textOf(simulatedHistory({ seed, steps: 60, losses: 60, expiries: 30 })),
    );
    const bytes = fc.constantFrom(
      ...Array.from('0123456789"{}[]:,-\\a'),
      "\n",
      "é",
      "invoke",
      "ok",
      "fail",
      '"xid":1,',
    );
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.nat(), bytes, fc.nat(30), (text, at, byte, length) => {
        const from = at % text.length;
        const damaged = text.slice(0, from) + byte + text.slice(from + length);
        writeFileSync(file, damaged);
        const slow = outcomeOf(() => bySlowTwin(damaged));
        const fast = outcomeOf(() => whole(readZookeeperFile(file).history));
        // Where there are several faults, the first one is told: of the form of operations the slow twin tells last.
        if (typeof slow === "string") refused++;
        if (typeof slow === "string" && typeof fast === "string") return;
        expect(fast).toEqual(slow);
      }),
      { numRuns: 800 },
    );
    expect(refused).toBeGreaterThan(150);
  });

  test("is refused with the file, the line and what was expected", () => {
    const build = new HistoryBuilder().invoke(0, "setData", { path: "/a", data: "1", version: -1 }).ok(0, {});
    const [first, second] = build.events as [Event, Event];
    const refused: readonly (readonly [readonly Event[], string])[] = [
      [
        [first, { ...first, index: 1 }],
        `${file}:3: process 0 invokes setData while its setData of event 0 is open`,
      ],
      [[first, second, { ...first, index: 1 }], `${file}:4: index 1 follows index 1`],
      [[first, { ...second, time: -5 }], `${file}:3: time runs back from`],
      [[second], `${file}:2: ok setData of process 0 completes nothing`],
      [
        [{ ...first, value: { path: "/a" } }],
        "event 0 (invoke setData of 0): expected data to be text or null",
      ],
    ];
    for (const [events, message] of refused) {
      writeFileSync(file, textOf(events));
      expect(() => readZookeeperFile(file)).toThrow(message);
    }
    writeFileSync(file, "");
    expect(() => readZookeeperFile(file)).toThrow(`${file}:1: the file is empty`);
    writeFileSync(file, encodeEvent(first));
    expect(() => readZookeeperFile(file)).toThrow(`${file}:1: this is no history of zabcheck`);
  });

  test("may have a torn last line, and one without its line feed", () => {
    const events = simulatedHistory({ seed: 1, steps: 50, losses: 0, expiries: 0 });
    writeFileSync(file, textOf(events).trim());
    expect(whole(readZookeeperFile(file).history)).toEqual(whole(readHistory(events)));
    appendFileSync(file, '\n{"index":');
    const { history, warnings } = readZookeeperFile(file);
    expect(whole(history)).toEqual(whole(readHistory(events)));
    expect(warnings).toEqual([
      `${file}:${events.length + 2}: the last line is cut off after 9 bytes and was left out`,
    ]);
  });

  test("fetches events of any length, by indexes with gaps", () => {
    const data = "x".repeat(10_000);
    const [first, second] = new HistoryBuilder()
      .invoke(0, "setData", { path: "/a", data, version: -1 })
      .ok(0, { path: "/a" }).events as [Event, Event];
    // More than is read at once.
    const events = Array.from({ length: 300 }, (_, at): Event => {
      const index = at < 100 ? at : 3 * at + 1;
      return { ...(at % 2 === 0 ? first : second), time: index, index };
    });
    writeFileSync(file, textOf(events));
    const { history } = readZookeeperFile(file);
    for (const event of events) {
      expect(history.events.at(event.index)).toEqual(event);
      expect(history.events.timeAt(event.index)).toBe(event.time);
    }
  });

  test("says so where the file has changed since", () => {
    const events = simulatedHistory({ seed: 2, steps: 50, losses: 0, expiries: 0 });
    writeFileSync(file, textOf(events));
    const { history } = readZookeeperFile(file);
    writeFileSync(file, ` ${textOf(events)}`);
    expect(() => history.events.at(3)).toThrow(`${file} was changed while it was judged`);
    truncateSync(file);
    expect(() => history.events.at(3)).toThrow("event 3 is no longer where it was read");
    const alike = [0, 1].map((process) => ({ ...(events[1] as Event), type: "invoke" as const, process }));
    const [first, second] = alike.map((event, index): Event => ({ ...event, index, time: index })) as [
      Event,
      Event,
    ];
    writeFileSync(file, textOf([first, second]));
    const pair = readZookeeperFile(file).history;
    writeFileSync(file, textOf([second, first]));
    expect(() => pair.events.at(1)).toThrow("event 1 is no longer where it was read");
  });
});
