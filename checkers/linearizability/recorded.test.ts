import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { casRegister, keyValue, mutex, type Event } from "../../model/index.ts";
import { readHistory } from "../readers/index.ts";
import { linearizable } from "./linearizable.ts";

const folder = process.env["ZABCHECK_HISTORIES"];
const why = "set ZABCHECK_HISTORIES to the folder of recorded histories with known verdicts";
const inFolder = (...parts: readonly string[]): string => join(folder ?? "", ...parts);
const filesIn = (...parts: readonly string[]): readonly string[] =>
  folder !== undefined && existsSync(inFolder(...parts)) ? readdirSync(inFolder(...parts)) : [];

/** Knossos takes a read that answered nil for one whose answer is not known. */
function knownReads(events: readonly Event[]): readonly Event[] {
  return events.map((event) =>
    event.type === "ok" && event.f === "read" && event.value === null ? { ...event, type: "fail" } : event,
  );
}

describe.skipIf(folder === undefined)(`recorded histories (${why})`, () => {
  const linearizableLogs = new Set([2, 5, 7, 18, 25, 31, 38, 45, 48, 49, 51, 53, 56]);

  test("etcd's logs have the verdicts that Porcupine gives them", () => {
    for (const file of filesIn("porcupine-etcd")) {
      const expected = linearizableLogs.has(Number(file.slice(5, 8))) ? "holds" : "violated";
      expect(
        linearizable(readHistory(inFolder("porcupine-etcd", file)).events, casRegister()).verdict,
        file,
      ).toBe(expected);
    }
  });

  test("Knossos's registers have the verdicts of their folders", () => {
    for (const [kind, expected] of [
      ["good", "holds"],
      ["bad", "violated"],
    ] as const) {
      for (const file of filesIn("knossos", "cas-register", kind)) {
        const { events } = readHistory(inFolder("knossos", "cas-register", kind, file));
        expect(linearizable(knownReads(events), casRegister(0)).verdict, file).toBe(expected);
      }
    }
  });

  test.each([
    ["cas-failure", 491],
    ["bad-analysis", 14],
    ["rethink-fail-minimal", 4],
    ["immediate-failure", 3],
  ])("the first impossible operation of %s is event %i", (name, index) => {
    const { events } = readHistory(inFolder("knossos", "cas-register", "bad", `${name}.edn`));
    const { objects, violation } = linearizable(knownReads(events), casRegister(0));
    expect(violation?.earliest?.index).toBe(index);
    expect(objects[0]?.explanation).toMatchObject({
      isEarliest: true,
      isMinimal: true,
      confirmed: "impossible",
    });
  });

  test("Knossos's mutex is violated", () => {
    expect(
      linearizable(readHistory(inFolder("knossos", "mutex", "bad", "etcd.edn")).events, mutex()).verdict,
    ).toBe("violated");
  });

  test("key-value logs have the verdicts of their names, every key of them decided", () => {
    for (const file of filesIn("porcupine-kv")) {
      const verdict = linearizable(readHistory(inFolder("porcupine-kv", file)).events, keyValue(), {
        allKeys: true,
      });
      expect(verdict.verdict, file).toBe(file.includes("ok") ? "holds" : "violated");
      expect(
        verdict.objects.filter((object) => object.verdict === "unknown"),
        file,
      ).toEqual([]);
    }
  });
});
