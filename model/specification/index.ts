export * from "./identity.ts";
export * from "./interpret.ts";
export * from "./model.ts";
export * from "./value.ts";
