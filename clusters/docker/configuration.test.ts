import { expect, test } from "vitest";
import { configurationOf, dynamicConfigurationOf, type Peer } from "./configuration.ts";

const peers = (...addresses: readonly string[]): readonly Peer[] =>
  addresses.map((address, i) => ({ number: i + 1, address, type: i < 3 ? "participant" : "observer" }));
const lines = (text: string): readonly string[] => text.trimEnd().split("\n");

test("every server's configuration names all servers by address", () => {
  const text = lines(configurationOf(peers("10.0.0.2", "10.0.0.3", "10.0.0.4"), {}));
  expect(text.slice(-3)).toEqual([
    "server.1=10.0.0.2:2888:3888",
    "server.2=10.0.0.3:2888:3888",
    "server.3=10.0.0.4:2888:3888",
  ]);
  expect(text).toContain("4lw.commands.whitelist=*");
  expect(text).toContain("dataDir=/data");
});

test("one server alone is no ensemble", () => {
  expect(configurationOf(peers("10.0.0.2"), {})).not.toContain("server.");
});

test("given settings win, and none stands twice", () => {
  const text = lines(configurationOf(peers("10.0.0.2"), { tickTime: 500, "my.own": "x" }));
  expect(text).toContain("tickTime=500");
  expect(text).toContain("my.own=x");
  const names = text.map((line) => line.split("=")[0]);
  expect(new Set(names).size).toBe(names.length);
});

test("observers are named so everywhere, and know it themselves", () => {
  const four = peers("10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5");
  expect(lines(configurationOf(four, {})).at(-1)).toBe("server.4=10.0.0.5:2888:3888:observer");
  expect(lines(configurationOf(four, {}))).not.toContain("peerType=observer");
  expect(lines(configurationOf(four, {}, "observer"))).toContain("peerType=observer");
});

test("members that may change stand in a file of their own, with their client ports", () => {
  const files = dynamicConfigurationOf(peers("10.0.0.2", "10.0.0.3"), {});
  expect(lines(files["conf/zoo.cfg"]!)).toContain("dynamicConfigFile=/data/members");
  expect(lines(files["conf/zoo.cfg"]!).filter((line) => /^(server\.|clientPort=)/.test(line))).toEqual([]);
  expect(lines(files["data/members"]!)).toEqual([
    "server.1=10.0.0.2:2888:3888:participant;0.0.0.0:2181",
    "server.2=10.0.0.3:2888:3888:participant;0.0.0.0:2181",
  ]);
});
