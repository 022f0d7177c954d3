export * from "./specification.ts";
export * from "./znodes/index.ts";
export * from "./data-types/index.ts";
export * from "./named.ts";
