// Runs the compiled benchmarks whose paths contain one of the arguments; all of them without arguments.
import { readdirSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = "dist-bench";
const all = readdirSync(root, { recursive: true })
  .map((path) => join(root, path))
  .filter((path) => path.endsWith(".bench.js"))
  .sort();
const wanted = process.argv.slice(2);
const chosen = wanted.length === 0 ? all : all.filter((path) => wanted.some((name) => path.includes(name)));
if (chosen.length === 0) {
  console.error(`no benchmark is named ${wanted.join(", ")}; there are:\n${all.join("\n")}`);
  process.exit(64);
}
for (const path of chosen) {
  console.log(`\n== ${path.slice(root.length + 1).replace(/\.js$/, "")}`);
  const { status } = spawnSync(process.execPath, ["--expose-gc", path], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 70;
}
