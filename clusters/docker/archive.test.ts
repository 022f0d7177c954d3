import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { archiveOf, extractFiles, filesOf, safePath } from "./archive.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zabcheck-archive-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("files come out of an archive as they went in", async () => {
  const bytes = await archiveOf({ "conf/zoo.cfg": "a=b\n", "data/myid": "1\n", empty: "" });
  expect(await extractFiles(Readable.from([bytes]), folder)).toBe(3);
  expect(readFileSync(join(folder, "conf/zoo.cfg"), "utf8")).toBe("a=b\n");
  expect(readFileSync(join(folder, "empty"), "utf8")).toBe("");
});

test("files are read into memory by their whole names, as far as they are wanted", async () => {
  const bytes = await archiveOf({
    "version-2/log.1": "one",
    "version-2/log.2": "two",
    "version-2/other": "x",
  });
  const files = await filesOf(Readable.from([bytes]), (name) => /\/log\./.test(name), "/datalog/version-2");
  expect(Object.entries(files).map(([name, content]) => [name, String(content)])).toEqual([
    ["datalog/version-2/log.1", "one"],
    ["datalog/version-2/log.2", "two"],
  ]);
});

test("links, devices and paths that lead out of the folder are left out", async () => {
  const inner = join(folder, "inner");
  const archive = pack();
  archive.entry({ name: "../outside" }, "x");
  archive.entry({ name: "/absolute" }, "x");
  archive.entry({ name: "a/../../outside" }, "x");
  archive.entry({ name: "link", type: "symlink", linkname: "/etc/passwd" });
  archive.entry({ name: "hard", type: "link", linkname: "/etc/passwd" });
  archive.entry({ name: "data/log.1" }, "kept");
  archive.finalize();
  expect(await extractFiles(Readable.from(archive), inner)).toBe(1);
  expect(readdirSync(inner)).toEqual(["data"]);
  expect(readdirSync(folder)).toEqual(["inner"]);
  expect(existsSync("/absolute")).toBe(false);
});

test("a path is safe only below the folder", () => {
  expect(safePath("data/version-2/log.1")).toBe("data/version-2/log.1");
  expect(safePath("./a/../b")).toBe("b");
  for (const name of ["..", "../x", "a/../../x", "/x", ".", "a/..", "..\\x", "a\0b"])
    expect(safePath(name)).toBeUndefined();
});

test("a torn archive is an error", async () => {
  const bytes = await archiveOf({ file: "x".repeat(2000) });
  await expect(extractFiles(Readable.from([bytes.subarray(0, 1000)]), folder)).rejects.toThrow();
});
