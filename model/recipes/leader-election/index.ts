export * from "./decisions.ts";
export * from "./history-form.ts";
export * from "./model.ts";
