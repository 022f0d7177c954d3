import { expect, test } from "vitest";
import { configurationOf } from "./configuration.ts";

const lines = (text: string): readonly string[] => text.trimEnd().split("\n");

test("every server's configuration names all servers by address", () => {
  const text = lines(configurationOf(["10.0.0.2", "10.0.0.3", "10.0.0.4"], {}));
  expect(text.slice(-3)).toEqual([
    "server.1=10.0.0.2:2888:3888",
    "server.2=10.0.0.3:2888:3888",
    "server.3=10.0.0.4:2888:3888",
  ]);
  expect(text).toContain("4lw.commands.whitelist=*");
  expect(text).toContain("dataDir=/data");
});

test("one server alone is no ensemble", () => {
  expect(configurationOf(["10.0.0.2"], {})).not.toContain("server.");
});

test("given settings win, and none stands twice", () => {
  const text = lines(configurationOf(["10.0.0.2"], { tickTime: 500, "my.own": "x" }));
  expect(text).toContain("tickTime=500");
  expect(text).toContain("my.own=x");
  const names = text.map((line) => line.split("=")[0]);
  expect(new Set(names).size).toBe(names.length);
});
