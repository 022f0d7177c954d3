import {
  InputError,
  type ModelDefinition,
  type ParameterDeclaration,
  type Parameters,
} from "../../model/index.ts";

/**
 * A definition's parameters: those given, checked against their declarations, and for the rest the defaults of the
 * variant, then those of the model.
 * Throws InputError for one that is unknown or out of its range.
 */
export function completeParameters(
  definition: ModelDefinition,
  given: Parameters,
  variant?: string,
): Parameters {
  const declared = definition.parameters;
  const own = variant === undefined ? undefined : definition.variants?.[variant]?.parameters;
  for (const name of Object.keys(given)) {
    if (declared[name] === undefined) {
      const known = Object.keys(declared).join(", ") || "none";
      throw new InputError(`the model ${definition.name} has no parameter '${name}'`, `it has: ${known}`);
    }
  }
  return Object.fromEntries(
    Object.entries(declared).map(([name, declaration]) => {
      const value = given[name] ?? own?.[name] ?? declaration.default;
      const expected = mismatch(declaration, value);
      if (expected !== undefined) {
        throw new InputError(
          `${definition.name}: ${name} is ${JSON.stringify(value)}`,
          `expected ${expected}`,
        );
      }
      return [name, value];
    }),
  );
}

/** Throws InputError for a variant that the definition does not have. */
export function checkVariant(definition: ModelDefinition, variant: string | undefined): void {
  if (variant === undefined || definition.variants?.[variant] !== undefined) return;
  const known = Object.keys(definition.variants ?? {}).join(", ") || "none";
  throw new InputError(`the model ${definition.name} has no variant '${variant}'`, `it has: ${known}`);
}

function mismatch(declaration: ParameterDeclaration, value: number | boolean | string): string | undefined {
  switch (declaration.kind) {
    case "integer": {
      const { minimum, maximum } = declaration;
      const fits =
        typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum;
      return fits ? undefined : `a whole number from ${minimum} to ${maximum}`;
    }
    case "flag":
      return typeof value === "boolean" ? undefined : "true or false";
    case "choice":
      return declaration.choices.includes(String(value))
        ? undefined
        : `one of ${declaration.choices.join(", ")}`;
    default:
      return undefined;
  }
}
