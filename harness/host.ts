import os from "node:os";
import type { Manifest } from "../results/index.ts";

/** The machine, as a manifest tells it. */
export function hostOf(): Manifest["host"] {
  return {
    platform: os.platform(),
    release: os.release(),
    architecture: os.arch(),
    processors: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    node: process.version,
  };
}
