import { dirname, relative, resolve } from "node:path";
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

/**
 * Bundles what the command line and `zabcheck check` need to start, after tsc: to load it from a hundred files takes
 * longer than to judge a history of a few hundred operations.
 */
const config: UserConfig = defineConfig({
  plugins: [commandsStayOutside],
  ssr: { noExternal: ["commander"] },
  build: {
    ssr: "dist/harness/cli.js",
    outDir,
    emptyOutDir: true,
    minify: false,
    target: "node20",
    rollupOptions: { output: { entryFileNames: "zabcheck.js", chunkFileNames: "[name].js" } },
  },
});

export default config;
