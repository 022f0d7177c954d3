export * from "./cluster.ts";
export * from "./protocol/index.ts";
