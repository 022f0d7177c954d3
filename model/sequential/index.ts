export * from "./specification.ts";
export * from "./znodes/index.ts";
