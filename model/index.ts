export * from "./errors.ts";
export * from "./history.ts";
export * from "./sequential/index.ts";
export * from "./specification/index.ts";
export * from "./examples/index.ts";
export * from "./recipes/index.ts";
