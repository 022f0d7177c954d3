import { execFile } from "node:child_process";
import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
const repository = fileURLToPath(new URL("..", import.meta.url));

/** What the build is made of. */
const sources = [
  "model",
  "checkers",
  "clusters",
  "results",
  "harness",
  "tsconfig.json",
  "tsconfig.build.json",
];

/**
 * For tests of what only whole processes show: the words that start zabcheck as it is built from the sources that are
 * here now. A build is used by all tests until a source changes; `dist` is left alone.
 */
export async function builtCommand(): Promise<readonly string[]> {
  const newest = Math.round(Math.max(...sources.map((path) => newestMs(join(repository, path)))));
  const build = join(repository, `${prefix}${newest}`);
  if (!existsSync(build)) {
    const draft = `${build}.${process.pid}`;
    const tsc = join(repository, "node_modules", ".bin", "tsc");
    await execute(tsc, ["-p", "tsconfig.build.json", "--outDir", draft], { cwd: repository });
    try {
      renameSync(draft, build);
    } catch {
      // Another test was quicker.
      rmSync(draft, { recursive: true, force: true });
    }
    for (const name of readdirSync(repository)) {
      const age = newest - Number(/^dist-tests-(\d+)/.exec(name)?.[1] ?? newest);
      if (age > oldMs) rmSync(join(repository, name), { recursive: true });
    }
  }
  return [process.execPath, join(build, "harness", "cli.js")];
}

const prefix = "dist-tests-";

/** Tests that began before a source changed may still run from an older build. */
const oldMs = 3_600_000;

function newestMs(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path, { withFileTypes: true })
    .filter(({ name }) => !/^(runs|cache)$|\.test\.ts$|\.schema\.json$/.test(name))
    .reduce((newest, { name }) => Math.max(newest, newestMs(join(path, name))), 0);
}
