import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { main } from "./main.ts";

let results = "";
beforeAll(() => {
  results = mkdtempSync(join(tmpdir(), "zabcheck-demo-"));
});
afterAll(() => rmSync(results, { recursive: true, force: true }));

it("the demonstration holds, and finds the defect that it seeds", { timeout: 120_000 }, async () => {
  let stdout = "";
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  const err = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    await main(["demo", "--json", "--results", results]);
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
  const { verdict } = JSON.parse(stdout) as { verdict: string };
  expect(verdict).toBe("holds");
  expect(process.exitCode ?? 0).toBe(0);
  process.exitCode = undefined;
});
