export * from "./barrier/index.ts";
export * from "./client-operations.ts";
export * from "./configuration/index.ts";
export * from "./decisions.ts";
export * from "./leader-election/index.ts";
export * from "./lock/index.ts";
export * from "./membership/index.ts";
export * from "./queue/index.ts";
export type {
  RecipeAnswer,
  RecipeError,
  RecipeRequest,
  RecipeResult,
  RecipeWatchEvent,
} from "./service/index.ts";
export * from "./unique-ids/index.ts";
