export * from "./verdict.ts";
export * from "./linearizability/index.ts";
