import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { OperationError } from "../../model/index.ts";

/**
 * A file or folder of clusters/docker that is no TypeScript: it lies beside the sources, the build leaves it there,
 * and so does the package. Throws OperationError where the installation lacks it.
 */
export function dataPath(name: string): string {
  for (
    let folder = dirname(fileURLToPath(import.meta.url));
    folder !== dirname(folder);
    folder = dirname(folder)
  ) {
    const found = join(folder, "clusters/docker", name);
    if (existsSync(found)) return found;
  }
  throw new OperationError(
    "installation",
    `${name} is missing from this installation`,
    "install zabcheck anew",
  );
}

/** The text of a program that runs inside of containers, by its name in `tools`. */
export function toolText(name: string): string {
  return readFileSync(dataPath(`tools/${name}`), "utf8");
}
