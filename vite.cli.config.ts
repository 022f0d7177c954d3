import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { defineConfig, type Plugin, type UserConfig } from "vite";

const outDir = "dist/cli";

/** What a command imports when it runs stays where it was compiled; of these only the check is bundled, too. */
const commandsStayOutside: Plugin = {
  name: "commands-stay-outside",
  enforce: "pre",
  resolveDynamicImport(specifier, importer) {
    if (typeof specifier !== "string" || !specifier.startsWith(".") || importer === undefined) return null;
    if (specifier.endsWith("/check-command.js")) return null;
    return { id: relative(outDir, resolve(dirname(importer), specifier)), external: true };
  },
};

/** Runs a check, so that the code that it needs is compiled and kept. Throws where it does not hold. */
const keepCompiledCode: Plugin = {
  name: "keep-compiled-code",
  renderChunk(code, { name }) {
    // See `load` in harness/start.ts.
    return name === "zabcheck" ? null : code.replaceAll(/\bimport\(/g, "importModule(");
  },
  generateBundle() {
    this.emitFile({ type: "asset", fileName: "package.json", source: `{ "type": "commonjs" }\n` });
  },
  closeBundle() {
    const folder = mkdtempSync(join(tmpdir(), "zabcheck-build-"));
    try {
      const history = join(folder, "history.jsonl");
      writeFileSync(history, exampleHistory());
      const { status, stderr } = spawnSync(
        process.execPath,
        [join(outDir, "zabcheck.js"), "check", history, "--as", "register"],
        { env: { ...process.env, ZABCHECK_KEEP_CODE: "1" }, encoding: "utf8" },
      );
      if (status !== 0) throw new Error(`the bundled command line does not check a history: ${stderr}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** Writes, and reads that overlap them. */
function exampleHistory(): string {
  const events = Array.from({ length: 50 }, (_, value) => [
    { process: 0, type: "invoke", f: "write", value },
    { process: 1, type: "invoke", f: "read", value: null },
    { process: 0, type: "ok", f: "write", value },
    { process: 1, type: "ok", f: "read", value },
  ]).flat();
  const lines = events.map((event, index) => ({ index, time: 10 * index, ...event }));
  return [{ format: "zabcheck-history", version: 1 }, ...lines]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join("");
}

/**
 * Bundles what the command line and `zabcheck check` need to start, after tsc: to load it from a hundred files takes
 * longer than to judge a history of a few hundred operations.
 */
const config: UserConfig = defineConfig({
  plugins: [commandsStayOutside, keepCompiledCode],
  ssr: { noExternal: ["commander"] },
  build: {
    ssr: true,
    outDir,
    emptyOutDir: true,
    minify: false,
    target: "node20",
    rollupOptions: {
      input: { zabcheck: "dist/harness/start.js", "command-line": "dist/harness/bundled.js" },
      output: { format: "cjs", entryFileNames: "[name].js", chunkFileNames: "[name].js" },
    },
  },
});

export default config;
