import type { ModelDefinition } from "../../model/index.ts";

/** The definitions that a module exports, each once. */
export function definitionsOf(module: unknown): readonly ModelDefinition[] {
  if (typeof module !== "object" || module === null) return [];
  return [...new Set(Object.values(module).filter(isDefinition))];
}

export function isDefinition(value: unknown): value is ModelDefinition {
  if (typeof value !== "object" || value === null) return false;
  const it = value as Partial<ModelDefinition>;
  return (
    it.kind === "model" &&
    typeof it.name === "string" &&
    typeof it.build === "function" &&
    typeof it.parameters === "object"
  );
}
