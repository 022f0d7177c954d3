import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const execute = promisify(execFile);
const repository = fileURLToPath(new URL("..", import.meta.url));
const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--silent"];
let folder = "";

async function run(command: string, words: readonly string[], cwd: string): Promise<string> {
  try {
    return (await execute(command, [...words], { cwd, encoding: "utf8", maxBuffer: 1 << 24 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${words.join(" ")}\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** Packed as it would be published, and installed into an empty folder. `npm test` has built `dist` before. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "zabcheck-package-"));
  if (!existsSync(join(repository, "dist", "cli", "zabcheck.js")))
    await run("npm", ["run", "build", "--silent"], repository);
  await run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], repository);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
  mkdirSync(join(folder, "consumer"));
  writeFileSync(
    join(folder, "consumer", "package.json"),
    JSON.stringify({ name: "consumer", type: "module", private: true }),
  );
  await run("npm", ["install", ...quiet, join(folder, tarball)], join(folder, "consumer"));
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the installed command runs", async () => {
  const zabcheck = join(folder, "consumer", "node_modules", ".bin", "zabcheck");
  expect(await run(zabcheck, ["--version"], folder)).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(await run(zabcheck, ["run", "--help"], folder)).toContain("--faults");
});

test("the installed command and its check start from the bundle alone", () => {
  const bundle = join(folder, "consumer", "node_modules", "zabcheck", "dist", "cli");
  const scripts = readdirSync(bundle).filter((name) => name.endsWith(".js"));
  const imported = scripts.flatMap((name) => {
    const text = readFileSync(join(bundle, name), "utf8");
    return [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, from]) => from ?? "");
  });
  expect(imported).toContain("./check-command.js");
  expect(imported.filter((from) => !from.startsWith("./") && !isBuiltin(from))).toEqual([]);
});

test(
  "the installed command runs an ensemble and keeps the run where it was called",
  { timeout: 180_000 },
  async () => {
    const zabcheck = join(folder, "consumer", "node_modules", ".bin", "zabcheck");
    const stdout = await run(
      zabcheck,
      ["run", "register", "--time", "2s", "--seed", "1", "--faults", "kill", "--json"],
      folder,
    );
    const { verdict, directory } = JSON.parse(stdout) as { verdict: string; directory: string };
    expect(verdict).toBe("holds");
    expect(directory.startsWith(join(folder, "results", "runs", "register"))).toBe(true);
  },
);

test("a model of one's own judges a history in 20 lines", async () => {
  const source = `import { linearizable } from "zabcheck/checkers";
import { HistoryBuilder } from "zabcheck/model";

// A dispenser of tickets: take -> 1, 2, 3, ...; put back gives back the last one.
const tickets = {
  name: "tickets",
  initial: 0,
  key: String,
  step: (given, { f, result }) => {
    if (f === "put-back") return given > 0 ? [given - 1] : [];
    return result === undefined || result === given + 1 ? [given + 1] : [];
  },
};
const two = () => new HistoryBuilder().invoke(0, "take").invoke(1, "take");
const good = two().ok(1, 1).ok(0, 2).invoke(0, "put-back").ok(0).invoke(1, "take").ok(1, 2);
const bad = two().ok(0, 2).ok(1, 2);
for (const { events } of [good, bad]) {
  const { verdict, violation } = linearizable(events, tickets);
  console.log(verdict, violation?.summary ?? "");
}
`;
  expect(source.trim().split("\n").length).toBeLessThanOrEqual(22);
  writeFileSync(join(folder, "consumer", "tickets.js"), source);
  const [first, second] = (await run(process.execPath, ["tickets.js"], join(folder, "consumer"))).split("\n");
  expect(first).toBe("holds ");
  expect(second).toMatch(/^violated take null -> 2 .* can't be explained together with take null -> 2/);
});

test("the four entries can be imported, and their types resolve", { timeout: 120_000 }, async () => {
  const source = `import { linearizable, type Verdict } from "zabcheck/checkers";
import { EmbeddedCluster, type Cluster } from "zabcheck/clusters";
import { HistoryBuilder, register, type Event, type SequentialSpecification } from "zabcheck/model";
import { readManifest, type Manifest } from "zabcheck/results";

const events: readonly Event[] = new HistoryBuilder().invoke(0, "write", 1).ok(0).invoke(1, "read").ok(1, 1).events;
const specification: SequentialSpecification<unknown> = register() as SequentialSpecification<unknown>;
const verdict: Verdict = linearizable(events, specification);
const cluster: Cluster = new EmbeddedCluster({ seed: 1 });
const manifest: (directory: string) => Manifest = readManifest;
// @ts-expect-error: an outcome is one of three words; an unresolved type would let this pass
const wrong: Verdict = { name: "x", verdict: "passed", detail: "" };
console.log(verdict.verdict, cluster.kind, typeof manifest, wrong.name);
`;
  const consumer = join(folder, "consumer");
  writeFileSync(join(consumer, "consumer.ts"), source);
  const options = {
    target: "es2023",
    module: "nodenext",
    strict: true,
    skipLibCheck: true,
    types: [],
    outDir: "out",
  };
  writeFileSync(
    join(consumer, "tsconfig.json"),
    JSON.stringify({ compilerOptions: options, files: ["consumer.ts", "console.d.ts"] }),
  );
  writeFileSync(
    join(consumer, "console.d.ts"),
    "declare const console: { log(...values: unknown[]): void };\n",
  );
  await run(join(repository, "node_modules", ".bin", "tsc"), ["-p", "tsconfig.json"], consumer);
  expect(await run(process.execPath, ["out/consumer.js"], consumer)).toBe("holds embedded function x\n");
});
