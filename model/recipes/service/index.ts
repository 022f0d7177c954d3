export * from "./plain-service.ts";
export * from "./requests.ts";
export * from "./service.ts";
export * from "./tree.ts";
export * from "./watches.ts";
export * from "./words.ts";
