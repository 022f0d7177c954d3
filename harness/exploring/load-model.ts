import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { definitionsOf } from "../../checkers/index.ts";
import { InputError, models, type ModelDefinition } from "../../model/index.ts";
import { hintOfNames } from "../names.ts";

/** A definition, and where workers find it again. */
export interface FoundModel {
  readonly definition: ModelDefinition;
  /** The module's address; null for one of the registry. */
  readonly module: string | null;
}

/**
 * The model of a name, or the one that a module exports: `./my-model.js`, or `./my-model.js#name` for one of several.
 * Throws InputError where there is none.
 */
export async function loadModel(name: string): Promise<FoundModel> {
  const known = models.find((model) => model.name === name);
  if (known !== undefined) return { definition: known, module: null };
  const [path = "", wanted] = name.split("#");
  if (!/[./\\]/.test(path)) {
    const names = models.map((model) => model.name);
    throw new InputError(`unknown model '${name}'`, hintOfNames(name, names));
  }
  const file = resolve(path);
  if (!existsSync(file)) throw new InputError(`${path}: no such file`, "give a module that exports a model");
  const module = pathToFileURL(file).href;
  return { definition: definitionIn(await importModule(path, module), path, wanted), module };
}

/** The definition of that name in a module; the only one where no name is given. */
export function definitionIn(module: unknown, path: string, wanted: string | undefined): ModelDefinition {
  const found = definitionsOf(module);
  const fitting = wanted === undefined ? found : found.filter((each) => each.name === wanted);
  const [first, second] = fitting;
  if (first === undefined) {
    const what = wanted === undefined ? "no model" : `no model '${wanted}'`;
    const others = found.map((each) => each.name).join(", ");
    throw new InputError(
      `${path}: exports ${what}`,
      others === ""
        ? 'expected an export { kind: "model", name, summary, parameters, build }'
        : `it exports: ${others}`,
    );
  }
  if (second !== undefined) {
    throw new InputError(
      `${path}: exports several models`,
      `choose one: ${found.map((each) => `${path}#${each.name}`).join(", ")}`,
    );
  }
  return first;
}

export async function importModule(path: string, url: string): Promise<unknown> {
  try {
    return (await import(url)) as unknown;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const hint = /\.[mc]?tsx?$/.test(path)
      ? "compile it to JavaScript first"
      : "give a JavaScript module that exports a model";
    throw new InputError(`${path}: cannot be imported: ${reason}`, hint, error);
  }
}
