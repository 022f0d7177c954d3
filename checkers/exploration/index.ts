export * from "./counterexample.ts";
export * from "./explore.ts";
export * from "./naive.ts";
export * from "./parameters.ts";
export * from "./result.ts";
