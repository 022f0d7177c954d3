export * from "./cluster.ts";
export * from "./docker/index.ts";
export * from "./protocol/index.ts";
