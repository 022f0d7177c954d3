export { startModule, type Child, type Ended } from "./for-tests.ts";
export * from "./exploration/index.ts";
export * from "./nightly/index.ts";
export * from "./report/index.ts";
export * from "./schemas/output.ts";
export * from "./schemas/verdict.ts";
export * from "./store/index.ts";
