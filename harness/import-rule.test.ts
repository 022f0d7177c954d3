import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 180_000 });

const repository = fileURLToPath(new URL("..", import.meta.url));
let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "zabcheck-lint-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the linter, with this repository's configuration, says of one import in one room. */
function lint(room: string, specifier: string): string {
  writeFileSync(join(folder, ".oxlintrc.json"), readFileSync(join(repository, ".oxlintrc.json")));
  mkdirSync(join(folder, room, "part"), { recursive: true });
  const file = join(room, "part", "probe.ts");
  writeFileSync(join(folder, file), `import { x } from "${specifier}";\nexport const y = x;\n`);
  const oxlint = join(repository, "node_modules", ".bin", "oxlint");
  try {
    return execFileSync(oxlint, ["-f", "unix", file], { cwd: folder, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  } finally {
    rmSync(join(folder, file));
  }
}

const order = ["model", "checkers", "clusters", "results", "harness"];
const below: { readonly [room: string]: readonly string[] } = {
  model: [],
  checkers: ["model"],
  clusters: ["model"],
  results: ["model", "checkers"],
  harness: ["model", "checkers", "clusters", "results"],
};

for (const room of order) {
  test(`${room}/ imports only the rooms below it, and only through their doors`, () => {
    for (const other of order.filter((each) => each !== room)) {
      const door = lint(room, `../../${other}/index.ts`);
      if (below[room]?.includes(other) === true)
        expect(door, `${room} -> ${other}`).not.toContain("restricted");
      else expect(door, `${room} -> ${other}`).toContain("restricted");
      expect(lint(room, `../../${other}/part/thing.ts`), `${room} -> inside ${other}`).toContain(
        "restricted",
      );
    }
    expect(lint(room, "./sibling.ts")).not.toContain("restricted");
    expect(lint(room, "../other-part/thing.ts")).not.toContain("restricted");
  });
}

test("model/ has no I/O", () => {
  expect(lint("model", "node:fs")).toContain("restricted");
  expect(lint("checkers", "node:fs")).not.toContain("restricted");
});
