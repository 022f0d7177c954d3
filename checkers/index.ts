export * from "./verdict.ts";
export * from "./linearizability/index.ts";
export * from "./exploration/index.ts";
export * from "./readers/index.ts";
