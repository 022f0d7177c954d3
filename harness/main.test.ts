import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { InvalidArgumentError } from "commander";
import { main } from "./main.ts";
import { integerBetween, listOf, oneOf, parseDurationMs, parseSizeBytes } from "./command-line.ts";
import { nearest } from "./names.ts";
import { named } from "./named.ts";

let stdout = "";
let stderr = "";

beforeEach(() => {
  stdout = stderr = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((stderr += String(text)), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

test("an unknown command is wrong usage, with the nearest name", async () => {
  expect(await main(["versoin"])).toBe(64);
  expect(stderr).toMatch(/^zabcheck: unknown command 'versoin' \(.*\)\n$/);
  expect(stdout).toBe("");
});

test("an unknown option is wrong usage", async () => {
  expect(await main(["--frobnicate"])).toBe(64);
  expect(stderr).toMatch(/^zabcheck: unknown option '--frobnicate' \(see: zabcheck --help\)\n$/);
});

test("--version and --help say what they are asked and exit 0", async () => {
  expect(await main(["--version"])).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(await main(["--help"])).toBe(0);
  expect(stdout).toContain("Usage: zabcheck");
});

test("durations are read in their units, and nothing else is", () => {
  expect(["250ms", "60s", "5m", "1h", "1.5s"].map(parseDurationMs)).toEqual([
    250, 60_000, 300_000, 3_600_000, 1500,
  ]);
  for (const bad of ["-5", "5", "0s", "s", "1e3s", "9999999h", ""]) {
    expect(() => parseDurationMs(bad), bad).toThrow(InvalidArgumentError);
  }
});

test("sizes are read in their units, and nothing else is", () => {
  expect(["512m", "4g", "1k", "4GB"].map(parseSizeBytes)).toEqual([2 ** 29, 2 ** 32, 1024, 2 ** 32]);
  for (const bad of ["4", "-1g", "g", "0m"])
    expect(() => parseSizeBytes(bad), bad).toThrow(InvalidArgumentError);
});

test("whole numbers are held within their bounds", () => {
  expect(integerBetween(1, 7)("7")).toBe(7);
  for (const bad of ["0", "8", "1.5", "x", ""])
    expect(() => integerBetween(1, 7)(bad), bad).toThrow("from 1 to 7");
});

test("lists and choices name what there is and what may have been meant", () => {
  expect(listOf("fault", ["kill", "pause"])("pause,kill,pause")).toEqual(["pause", "kill"]);
  expect(listOf("fault", ["kill", "pause"])("none")).toEqual([]);
  expect(() => listOf("fault", ["kill", "pause"])("kil")).toThrow(
    "unknown fault 'kil'; did you mean 'kill'?",
  );
  expect(() => oneOf("cluster", ["embedded", "docker"])("dockr")).toThrow("did you mean 'docker'?");
  expect(() => named("workload", "registr", [{ name: "register" }])).toThrow("unknown workload 'registr'");
  expect(nearest("zzzzzz", ["register"])).toBeUndefined();
});
