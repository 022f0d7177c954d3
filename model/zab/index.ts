export * from "./zab.ts";
