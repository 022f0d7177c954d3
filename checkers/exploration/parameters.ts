import {
  InputError,
  ModelError,
  type Model,
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

/** Throws ModelError for what is no model: modules of JavaScript are not checked by a compiler. */
export function checkModel(model: Model<unknown>): void {
  const refuse = (what: string): never => {
    throw new ModelError(what);
  };
  if (typeof model !== "object" || model === null) refuse("build returned no model");
  if (!Array.isArray(model.initial) || model.initial.length === 0) refuse("it has no initial state");
  if (!Array.isArray(model.actions) || model.actions.length === 0) refuse("it has no actions");
  if (!Array.isArray(model.identities)) refuse("it does not say which identities there are (identities: [])");
  const names = new Set<string>();
  for (const { name, effect, parameters } of model.actions) {
    if (typeof name !== "string" || typeof effect !== "function")
      refuse("an action needs a name and an effect");
    if (!Array.isArray(parameters) && typeof parameters !== "function") {
      refuse(`${name}: its parameters are neither lists nor functions of the state`);
    }
    if (names.has(name)) refuse(`two actions are named ${name}`);
    names.add(name);
  }
  const properties = [...(model.invariants ?? []), ...(model.stepProperties ?? [])];
  for (const { name, holds } of properties) {
    if (typeof name !== "string" || typeof holds !== "function")
      refuse("a property needs a name and a function 'holds'");
    if (names.has(name)) refuse(`two of its actions and properties are named ${name}`);
    names.add(name);
  }
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
