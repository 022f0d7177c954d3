export * from "./report/index.ts";
export * from "./schemas/output.ts";
export * from "./schemas/verdict.ts";
export * from "./store/index.ts";
