import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError, models, type ModelDefinition } from "../../model/index.ts";
import { hintOfNames } from "../names.ts";

/** A definition, and where workers find it again. */
export interface FoundModel {
  readonly definition: ModelDefinition;
  /** The module's address, and the name that it exports the definition by; null for one of the registry. */
  readonly module: string | null;
}

/**
 * The model of a name, or the one that a module exports. `./my-model.js#name` takes one of several.
 * Throws InputError where there is none.
 */
export async function loadModel(name: string): Promise<FoundModel> {
  const known = models.find((model) => model.name === name);
  if (known !== undefined) return { definition: known, module: null };
  const [path = "", exported] = name.split("#");
  if (!/[./\\]/.test(path)) {
    throw new InputError(
      `unknown model '${name}'`,
      hintOfNames(
        name,
        models.map((model) => model.name),
      ),
    );
  }
  const file = resolve(path);
  if (!existsSync(file)) throw new InputError(`${path}: no such file`, "give a module that exports a model");
  const url = pathToFileURL(file).href;
  const found = Object.entries(await importModule(path, url)).filter(
    (entry): entry is [string, ModelDefinition] =>
      isDefinition(entry[1]) &&
      (exported === undefined || exported === entry[0] || exported === entry[1].name),
  );
  const [first, ...others] = found.filter(
    (entry, index) => found.findIndex(([, definition]) => definition === entry[1]) === index,
  );
  if (first === undefined) {
    throw new InputError(
      `${path}: exports no model${exported === undefined ? "" : ` '${exported}'`}`,
      'expected an export { kind: "model", name, summary, parameters, build }',
    );
  }
  if (others.length > 0) {
    throw new InputError(
      `${path}: exports several models`,
      `name one: ${found.map(([key]) => `${path}#${key}`).join(", ")}`,
    );
  }
  return { definition: first[1], module: url };
}

async function importModule(path: string, url: string): Promise<Record<string, unknown>> {
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const typescript = /\.[mc]?ts$/.test(path) ? ": compile it to JavaScript first" : "";
    throw new InputError(
      `${path}: cannot be imported: ${reason}`,
      `give a JavaScript module that exports a model${typescript}`,
      error,
    );
  }
}

function isDefinition(value: unknown): value is ModelDefinition {
  if (typeof value !== "object" || value === null) return false;
  const it = value as Partial<ModelDefinition>;
  return (
    it.kind === "model" &&
    typeof it.name === "string" &&
    typeof it.build === "function" &&
    typeof it.parameters === "object"
  );
}
