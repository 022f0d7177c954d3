export * from "./die-hard.ts";
