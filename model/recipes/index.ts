export * from "./leader-election/index.ts";
