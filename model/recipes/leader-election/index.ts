export * from "./decisions.ts";
export * from "./model.ts";
