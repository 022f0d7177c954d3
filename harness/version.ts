import { readFileSync } from "node:fs";

/** zabcheck's own version, from the package.json above this file: one level in the sources, two in `dist`. */
export function version(): string {
  for (const path of ["../package.json", "../../package.json"]) {
    try {
      const text = readFileSync(new URL(path, import.meta.url), "utf8");
      const found: unknown = JSON.parse(text);
      if (
        typeof found === "object" &&
        found !== null &&
        "name" in found &&
        found.name === "zabcheck" &&
        "version" in found
      ) {
        return String(found.version);
      }
    } catch {
      // Not there: one level further up.
    }
  }
  return "unknown";
}
