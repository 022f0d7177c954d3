export * from "./cluster.ts";
export * from "./fault.ts";
export * from "./docker/index.ts";
export * from "./embedded/index.ts";
export * from "./protocol/index.ts";
