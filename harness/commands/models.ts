import type { Command } from "commander";
import type { ModelDefinition, VariantDeclaration } from "../../model/index.ts";
import { print, printJson } from "../command-line.ts";

/** `zabcheck models`: what `zabcheck explore NAME` can explore. */
export function addModels(program: Command): void {
  program
    .command("models")
    .description("list the models, their parameters and their seeded defects")
    .option("--json", "print one JSON object")
    .action(async ({ json }: { readonly json?: boolean }) => {
      const { models } = await import("../../model/index.ts");
      if (json === true) printJson({ models: models.map(jsonOf) });
      else for (const line of models.flatMap(linesOf)) print(line);
    });
}

function jsonOf({ name, source, parameters, variants = {} }: ModelDefinition): object {
  return {
    name,
    parameters,
    variants: Object.entries(variants).map(([variant, declared]) => ({
      name: variant,
      holds: declared.holds,
      property: declared.property ?? null,
      source: declared.source ?? source ?? "",
    })),
  };
}

function linesOf({ name, summary, source, parameters, variants = {} }: ModelDefinition): readonly string[] {
  const bounds = Object.entries(parameters).map(
    ([parameter, declaration]) => `${parameter} ${String(declaration.default)}`,
  );
  return [
    `${name}: ${summary}`,
    ...(source === undefined ? [] : [`    after ${source}`]),
    `    parameters: ${bounds.join(", ") || "none"}`,
    ...Object.entries(variants).flatMap(([variant, declared]) => [
      `    --variant ${variant}: ${declared.summary}`,
      `        ${verdictOf(declared)}${declared.source === undefined ? "" : `; known from: ${declared.source}`}`,
    ]),
  ];
}

function verdictOf({ holds, property }: VariantDeclaration): string {
  return holds ? "all holds" : `breaks ${property ?? "a property"}`;
}
