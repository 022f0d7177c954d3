import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { models } from "../model/index.ts";

const bundle = fileURLToPath(new URL("../dist/cli", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "zabcheck-start-"));
afterAll(() => rmSync(folder, { recursive: true }));

function zabcheck(args: readonly string[], from: string = bundle) {
  return spawnSync(process.execPath, [join(from, "zabcheck.js"), ...args], { encoding: "utf8" });
}

function history(read: number): string {
  const file = join(folder, `read-${read}.jsonl`);
  const events = [
    { type: "invoke", f: "write", value: 1 },
    { type: "ok", f: "write", value: 1 },
    { type: "invoke", f: "read", value: null },
    { type: "ok", f: "read", value: read },
  ];
  const lines = events.map((event, index) => ({ index, time: index, process: 0, ...event }));
  const all = [{ format: "zabcheck-history", version: 1 }, ...lines];
  writeFileSync(file, all.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return file;
}

it("checks with the code that was compiled when it was built", () => {
  expect(readdirSync(bundle)).toContain("check-command.js.code");
  expect(zabcheck(["check", history(1), "--as", "register"])).toMatchObject({ status: 0, stderr: "" });
  expect(zabcheck(["check", history(2), "--as", "register"])).toMatchObject({ status: 1, stderr: "" });
});

it("imports the commands that are not bundled", () => {
  const { status, stdout, stderr } = zabcheck(["models", "--json"]);
  expect([status, stderr]).toEqual([0, ""]);
  const { models: listed } = JSON.parse(stdout) as { readonly models: readonly { readonly name: string }[] };
  expect(listed.map(({ name }) => name)).toEqual(models.map(({ name }) => name));
});

it("runs that code, whatever the scripts have become, and the scripts where it is missing", () => {
  const other = join(folder, "changed");
  cpSync(bundle, other, { recursive: true });
  const script = join(other, "check-command.js");
  writeFileSync(script, readFileSync(script, "utf8").replaceAll("judged in", "JUDGED IN"));
  const check = (): string => zabcheck(["check", history(1), "--as", "register"], other).stdout;
  expect(check()).toContain("judged in");
  rmSync(`${script}.code`);
  expect(check()).toContain("JUDGED IN");
});

it("compiles where the compiled code is of another version of Node, or none", () => {
  const other = join(folder, "cli");
  cpSync(bundle, other, { recursive: true });
  for (const name of readdirSync(other).filter((each) => each.endsWith(".code"))) {
    writeFileSync(join(other, name), "of another version");
  }
  expect(zabcheck(["check", history(1), "--as", "register"], other)).toMatchObject({ status: 0, stderr: "" });
});

it("refuses what is no command", () => {
  const { status, stderr } = zabcheck(["chek"]);
  expect([status, stderr]).toEqual([64, "zabcheck: unknown command 'chek' (Did you mean check?)\n"]);
});
