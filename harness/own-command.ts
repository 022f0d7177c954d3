import { fileURLToPath } from "node:url";

/** The words that start this program again, for children that do one job each. */
export function ownCommand(): readonly string[] {
  const cli = new URL("./cli.js", import.meta.url);
  return [process.execPath, fileURLToPath(cli)];
}
