import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { etcd, InputError } from "../../model/index.ts";
import { linearizable } from "../linearizability/index.ts";
import {
  detectFormat,
  EdnError,
  parseEdn,
  readerFor,
  readHistory,
  type Format,
  type History,
} from "./index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Reads text in pieces of a size. */
function read(format: Format, text: string, size: number = 7): History {
  const reader = readerFor(format, "file");
  const all = bytes(text);
  for (let at = 0; at < all.length; at += size) reader.write(all.subarray(at, at + size));
  return reader.end();
}

describe("EDN", () => {
  test.each([
    ["nil", null],
    ["[1 -2 3.5 true, false]", [1, -2, 3.5, true, false]],
    ['"a\\n\\"\\u0041"', 'a\n"A'],
    ['{:a 1 :b/c [:x] "k" nil}', { a: 1, "b/c": [":x"], k: null }],
    ["#{2 1}", [1, 2]],
    ["(1 ; one\n 2 #_ 3)", [1, 2]],
    ["#jepsen.history.Op{:index 0}", { index: 0 }],
    ["\\space", " "],
    ["12345678901234567890", "12345678901234567890"],
  ])("%s is read", (text, value) => {
    expect(parseEdn(text)).toEqual(value);
  });

  test.each(["{:a}", "[1", '"a', "{:a 1 :a 2}", "1x", ")", "", "1 2", "\\nothing", "[".repeat(300)])(
    "%s is refused",
    (text) => {
      expect(() => parseEdn(text)).toThrow(EdnError);
    },
  );

  test("whatever the text, there is a value or an EdnError", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'[](){}#\\":;,_ n1a\n'.split("")), maxLength: 40 }),
        (text) => {
          try {
            parseEdn(text);
          } catch (error) {
            expect(error).toBeInstanceOf(EdnError);
          }
        },
      ),
    );
  });
});

describe("Jepsen's EDN", () => {
  const one =
    "{:process 0, :type :invoke, :f :write, :value 1, :time 5}\n{:process 0, :type :ok, :f :write, :value 1, :time 9}\n";

  test.each([
    ["one event a line", one],
    ["one vector", `[${one}]`],
    ["one list with comments", `(; a comment ]}\n${one})`],
    ["records", one.replaceAll("{:process", "#jepsen.history.Op{:process")],
    ["several lines an event", one.replaceAll(", ", ",\n  ")],
  ])("%s", (_, text) => {
    for (const size of [1, 7, 10_000]) {
      const { events, warnings } = read("jepsen-edn", text, size);
      expect(warnings).toEqual([]);
      expect(events).toMatchObject([
        { index: 0, time: 5, process: 0, type: "invoke", f: "write", value: 1 },
        { index: 1, time: 9, type: "ok" },
      ]);
    }
  });

  test("a clock that runs back is a warning, and the order of the lines counts", () => {
    const { events, warnings } = read("jepsen-edn", one.replace(":time 9", ":time 2"));
    expect(warnings[0]).toContain("file:2: the clock runs back");
    expect(events[1]?.time).toBeGreaterThan(5);
  });

  test("a key beside the value makes an entry", () => {
    const { events } = read("jepsen-edn", '{:process 0, :type :invoke, :f :get, :key "0", :value nil}\n');
    expect(events[0]?.value).toEqual({ key: "0", value: null });
  });

  test.each([
    ["an unknown type", "{:process 0 :type :oops :f :read}", "file:1: :type is"],
    ["no process", "{:type :invoke :f :read}", "file:1: :process is missing"],
    ["a broken form", `${one}{:process 0 :type}`, "file:3: this is no EDN"],
    ["an unfinished vector", `[${one}`, "ends within the list"],
    ["an unfinished map", `${one}{:process 0`, "file:3: the file ends within a map"],
    ["stray text", `${one}hello`, "file:3: expected a map"],
    ["nothing", "[]", "there is no event"],
    ["binary data", "{:process \u0000}", "no UTF-8 text"],
  ])("%s is an error that names file and line", (_, text, message) => {
    expect(() => read("jepsen-edn", text)).toThrow(InputError);
    expect(() => read("jepsen-edn", text)).toThrow(message);
  });
});

describe("Jepsen's log", () => {
  test("lines that tell operations count, others don't", () => {
    const { events } = read(
      "jepsen-log",
      "INFO  jepsen.core - Starting\nINFO  jepsen.util - 4\t:invoke\t:cas\t[2 4]\n2024-01-01 00:00:00 INFO [worker 4] jepsen.util: 4\t:info\t:cas\t:timed-out\n",
    );
    expect(events).toMatchObject([
      { index: 0, process: 4, type: "invoke", f: "cas", value: [2, 4] },
      { index: 1, process: 4, type: "info", f: "cas", value: ":timed-out" },
    ]);
  });

  test("a log without operations is an error", () => {
    expect(() => read("jepsen-log", "INFO nothing\n")).toThrow("file:1: no line tells of an operation");
  });
});

describe("etcd's report", () => {
  const put = (client: number, value: string, call: number, end: number, revision: number): string =>
    JSON.stringify({
      ClientId: client,
      Input: {
        Type: "txn",
        Txn: { OperationsOnSuccess: [{ Type: "put-operation", Put: { Key: "k", Value: { Value: value } } }] },
      },
      Call: call,
      Output:
        end === 0 ? { Error: "timeout" } : { Txn: { Failure: false, Results: [{}] }, Revision: revision },
      Return: end,
    });
  const get = (
    client: number,
    value: string,
    modRevision: number,
    call: number,
    end: number,
    revision: number,
  ): string =>
    JSON.stringify({
      ClientId: client,
      Input: { Type: "range", Range: { Start: "k", End: "", Limit: 0, Revision: 0 } },
      Call: call,
      Output: {
        Range: { KVs: [{ Key: "k", Value: { Value: value }, ModRevision: modRevision }], Count: 1 },
        Revision: revision,
      },
      Return: end,
    });

  test("the clients' files of a directory are one history, in the order of time", () => {
    const folder = mkdtempSync(join(tmpdir(), "zabcheck-report-"));
    for (const [client, lines] of [
      [1, [put(0, "a", 10, 20, 2), put(0, "b", 50, 0, 0)]],
      [2, [get(1, "a", 2, 30, 40, 2), get(1, "b", 3, 60, 70, 3)]],
    ] as const) {
      mkdirSync(join(folder, `client-${String(client)}`));
      writeFileSync(join(folder, `client-${String(client)}`, "operations.json"), `${lines.join("\n")}\n`);
    }
    const history = readHistory(folder);
    expect(history).toMatchObject({ format: "etcd-report", warnings: [] });
    expect(linearizable(history.events, etcd()).verdict).toBe("holds");
  });

  test("a read of a value that is gone is violated", () => {
    const { events } = read(
      "etcd-report",
      [put(0, "a", 10, 20, 2), put(0, "b", 30, 40, 3), get(0, "a", 2, 50, 60, 3)].join("\n"),
    );
    expect(linearizable(events, etcd()).verdict).toBe("violated");
  });

  test.each([
    ["no JSON", "{", "file:1: this is no JSON"],
    ["no client", "{}", "file:1: ClientId"],
  ])("%s is an error", (_, text, message) => {
    expect(() => read("etcd-report", text)).toThrow(message);
  });
});

describe("detection", () => {
  test.each([
    ["zabcheck", '{"format":"zabcheck-history","version":1}\n'],
    ["jepsen-edn", "{:process 0, :type :invoke}"],
    ["jepsen-edn", " ; comment\n[{:type :invoke"],
    ["jepsen-edn", "#jepsen.history.Op{:index 0"],
    ["jepsen-log", "INFO  jepsen.util - 4\t:invoke\t:read\tnil"],
    ["etcd-report", '{"ClientId":9,"Input":{}}'],
  ])("%s", (format, text) => {
    expect(detectFormat(bytes(text), "file")).toBe(format);
  });

  test.each(["", "hello", "\u0000\u0001", "{}", "<xml>"])("what is none is an error: %j", (text) => {
    expect(() => detectFormat(bytes(text), "file")).toThrow(InputError);
    expect(() => detectFormat(bytes(text), "file")).toThrow("file:1:");
  });
});

test.each(["jepsen-edn", "jepsen-log", "etcd-report", "zabcheck"] as const)(
  "an endless line is an error, not a full memory (%s)",
  (format) => {
    const reader = readerFor(format, "file");
    const chunk = new Uint8Array(1 << 20).fill(97);
    expect(() => {
      for (let i = 0; i < 100; i++) reader.write(chunk);
    }).toThrow(/file:1: the line is longer than \d+ bytes/);
  },
);

test("a file that is not there is an error that says so", () => {
  expect(() => readHistory("/nowhere/history.edn")).toThrow("there is no such file");
});
