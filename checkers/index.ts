export * from "./verdict.ts";
export * from "./linearizability/index.ts";
export * from "./exploration/index.ts";
export * from "./readers/index.ts";
export * from "./zookeeper/index.ts";
export * from "./transaction-logs/index.ts";
export * from "./recipes/index.ts";
export * from "./model-histories/index.ts";
