import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { main } from "./main.ts";

vi.setConfig({ testTimeout: 120_000 });

let folder = "";
let stdout = "";
let stderr = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zabcheck-bad-"));
  stdout = stderr = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((stderr += String(text)), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = 0;
  rmSync(folder, { recursive: true, force: true });
});

/** One line with a hint on standard error, nothing on standard output, the exit code, and nothing left in the folder of results. */
async function refuses(code: number, message: RegExp, ...words: readonly string[]): Promise<void> {
  const results = join(folder, "results");
  expect(await main([...words, ...(words.includes("--results") ? [] : ["--results", results])])).toBe(code);
  const lines = stderr.trimEnd().split("\n");
  expect(lines.at(-1)).toMatch(/^zabcheck: .* \(.+\)$/);
  expect(lines.at(-1)).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(stdout).toBe("");
  expect(existsSync(results) ? readdirSync(results) : []).toEqual([]);
}

const run = ["run", "register", "--time", "1s"];

test("an unknown workload, with the one that may have been meant", () =>
  refuses(64, /unknown workload 'registr' \(did you mean 'register'\?/, "run", "registr"));
test("a time that is none", () =>
  refuses(
    64,
    /'--time <duration>' argument '-5' is invalid \(expected a duration such as/,
    "run",
    "register",
    "--time",
    "-5",
  ));
test("an unknown fault", () => refuses(64, /unknown fault 'kil'/, ...run, "--faults", "kil"));
test("an unknown defect", () =>
  refuses(
    64,
    /unknown defect 'commit-without-quorom' \(did you mean 'commit-without-quorum'/,
    ...run,
    "--defect",
    "commit-without-quorom",
  ));
test("an unknown cluster", () =>
  refuses(64, /unknown cluster 'dokcer'; did you mean 'docker'/, ...run, "--cluster", "dokcer"));
test("an unknown option", () => refuses(64, /unknown option '--frobnicate'/, ...run, "--frobnicate"));
test("an option of the workload that it does not know", () =>
  refuses(64, /workload register: .*kees.*its options are: keys/, ...run, "--option", "kees=3"));
test("a workload's option whose value does not fit", () =>
  refuses(64, /workload register: option 'keys'/, ...run, "--option", "keys=-3"));
test("a seed that is none", () =>
  refuses(64, /'--seed <number>' argument 'x' is invalid/, ...run, "--seed", "x"));
test("a number of servers that is none", () => refuses(64, /from 1 to 9/, ...run, "--servers", "0"));
test("real servers with a seeded defect", () =>
  refuses(64, /real servers have no --defect/, ...run, "--cluster", "docker", "--defect", "ack-before-log"));
test("an embedded ensemble with an image", () =>
  refuses(64, /--image is for real servers/, ...run, "--image", "x"));
test("a release that is none", () =>
  refuses(64, /release/, ...run, "--cluster", "docker", "--release", "tomorrow"));
test("a report of no run", () => refuses(64, /no run is kept/, "report", "latest"));

test("a machine without Docker", async () => {
  vi.stubEnv("DOCKER_HOST", `unix://${folder}/no-docker.sock`);
  await refuses(70, /[Dd]ocker/, ...run, "--cluster", "docker");
});

test("a folder of results that cannot be made", () => {
  writeFileSync(join(folder, "file"), "");
  return refuses(70, /cannot be written.*--results DIR/, ...run, "--results", join(folder, "file", "runs"));
});

test.skipIf(process.getuid?.() === 0)(
  "a folder of results that cannot be written (as root every folder can)",
  () => {
    chmodSync(folder, 0o500);
    return refuses(70, /cannot be written/, ...run, "--results", join(folder, "runs"));
  },
);
