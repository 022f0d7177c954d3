#!/usr/bin/env node
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";

/*
 * Starts the bundled command line with the code that V8 compiled when it was built: compiling takes longer than to judge
 * a history of a few hundred operations. Another version of Node ignores the compiled code, and compiles.
 */

/** Set when the package is built: what was compiled is kept beside the scripts. */
const keepsCode = process.env["ZABCHECK_KEEP_CODE"] === "1";
const folder: string = import.meta.dirname;
const loaded = new Map<string, { exports: unknown }>();

/** Loads a script of the bundle, as `require` does. */
function load(name: string): unknown {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const file = join(folder, name);
  const compiled = `${file}.code`;
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname, importModule) {${readFileSync(file, "utf8")}\n})`,
    {
      filename: file,
      ...(existsSync(compiled) && !keepsCode ? { cachedData: readFileSync(compiled) } : {}),
    },
  );
  const requireOthers = createRequire(file);
  const require = (id: string): unknown => (id.startsWith("./") ? load(id.slice(2)) : requireOthers(id));
  const module = { exports: {} };
  loaded.set(name, module);
  if (keepsCode) process.once("exit", () => writeFileSync(compiled, script.createCachedData()));
  const run = script.runInThisContext() as (...parts: unknown[]) => void;
  // A script of its own cannot import; this one lies in the same folder.
  const importModule = (id: string): Promise<unknown> => import(id);
  run(module.exports, require, module, file, folder, importModule);
  return module.exports;
}

load("command-line.js");
