import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { outputs } from "../../results/index.ts";
import { main } from "../main.ts";

let stdout = "";
let stderr = "";
let folder = "";

beforeEach(() => {
  stdout = stderr = "";
  folder = mkdtempSync(join(tmpdir(), "zabcheck-check-"));
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((stderr += String(text)), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = 0;
});

const log = (seen: string): string =>
  ["0\t:invoke\t:write\t1", "0\t:ok\t:write\t1", "1\t:invoke\t:read\tnil", `1\t:ok\t:read\t${seen}`]
    .map((line) => `INFO  jepsen.util - ${line}\n`)
    .join("");

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test("a history that holds exits 0, one that does not exits 1 and names the operations", async () => {
  expect(await main(["check", file("good.log", log("1")), "--as", "cas-register"])).toBe(0);
  expect(stdout).toContain("holds");
  expect(await main(["check", file("bad.log", log("nil")), "--as", "cas-register"])).toBe(1);
  expect(stdout).toContain("read -> null (process 1, events 2-3) can't be explained together with write 1");
});

test("several files in JSON have a verdict each, and the worst decides", async () => {
  const files = [file("good.log", log("1")), file("bad.log", log("2"))];
  expect(await main(["check", ...files, "--as", "register", "--json"])).toBe(1);
  const output = JSON.parse(stdout) as { files: { file: string; verdict: string }[] };
  expect(outputs["check"]?.safeParse(output).error).toBeUndefined();
  expect(output).toMatchObject({
    verdict: "violated",
    files: [
      { file: files[0], verdict: "holds" },
      { file: files[1], verdict: "violated" },
    ],
  });
});

test("a register of Jepsen's EDN begins with 0, unless told otherwise", async () => {
  const edn = "[{:process 0 :type :invoke :f :read :value nil} {:process 0 :type :ok :f :read :value 0}]";
  expect(await main(["check", file("a.edn", edn), "--as", "cas-register"])).toBe(0);
  expect(await main(["check", file("b.edn", edn), "--as", "cas-register", "--initial", "null"])).toBe(1);
});

test("--report writes a page that names the file", async () => {
  const report = join(folder, "report.html");
  expect(await main(["check", file("bad.log", log("2")), "--as", "cas-register", "--report", report])).toBe(
    1,
  );
  expect(readFileSync(report, "utf8")).toContain("bad.log");
});

test.each([
  ["no such file", "missing.log", undefined, "there is no such file"],
  ["an empty file", "empty.log", "", "the file is empty"],
  ["a binary file", "binary.log", "\u0000\u0001\u0002", "binary"],
  ["text that is no history", "letter.txt", "Dear all,\n", "no history of a known format"],
])("%s is one readable line and exit 64", async (_, name, text, message) => {
  const path = text === undefined ? join(folder, name) : file(name, text);
  expect(await main(["check", path, "--as", "cas-register"])).toBe(64);
  expect(stderr).toContain(message);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

test("an unknown type is exit 64 and names the nearest", async () => {
  expect(await main(["check", file("good.log", log("1")), "--as", "cas-registre"])).toBe(64);
  expect(stderr).toContain("did you mean 'cas-register'");
});
