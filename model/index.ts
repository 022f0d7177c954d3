export * from "./errors.ts";
export * from "./history.ts";
export * from "./sequential/index.ts";
