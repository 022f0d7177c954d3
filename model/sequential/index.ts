export * from "./specification.ts";
export * from "./znodes/operations.ts";
