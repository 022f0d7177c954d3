import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { linearizable } from "../checkers/index.ts";
import { HistoryDecoder, register, type Event } from "../model/index.ts";
import { makeProgram } from "./main.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

function histories(): readonly (readonly Event[])[] {
  const blocks = [...readme.matchAll(/```\n(\{"format"[^]*?)```/g)].map(([, text]) => text ?? "");
  return blocks.map((text) => {
    const decoder = new HistoryDecoder({ file: "README.md" });
    return [...decoder.write(new TextEncoder().encode(text)), ...decoder.end().events];
  });
}

test("of the two histories in the README one holds and the other does not", () => {
  const verdicts = histories().map((events) => linearizable(events, register()).verdict);
  expect(verdicts).toEqual(["holds", "violated"]);
});

test("every command that the README names is one", () => {
  const named = [...readme.matchAll(/^ {4}zabcheck ([a-z-]+)/gm)].map(([, name]) => name);
  const known = makeProgram().commands.map((command) => command.name());
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !known.includes(name ?? ""))).toEqual([]);
});
