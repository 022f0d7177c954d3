export * from "./zab.ts";
export type { Zab } from "./state.ts";
