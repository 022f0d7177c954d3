export * from "./identity.ts";
export * from "./interpret.ts";
export * from "./measure.ts";
export * from "./model.ts";
export * from "./recorded-history.ts";
export * from "./value.ts";
