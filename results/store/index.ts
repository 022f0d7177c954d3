export { unwritable } from "./folders.ts";
export * from "./manifest.ts";
export * from "./recorder.ts";
export * from "./run-directory.ts";
export * from "./run-evidence.ts";
