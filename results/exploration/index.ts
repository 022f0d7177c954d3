export * from "./exploration-page.ts";
export * from "./store-exploration.ts";
