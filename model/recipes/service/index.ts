export * from "./service.ts";
export * from "./tree.ts";
export * from "./watches.ts";
