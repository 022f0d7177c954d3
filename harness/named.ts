import { InputError } from "../model/index.ts";
import { hintOfNames } from "./names.ts";

/**
 * Looks a name up in a table of things that have names.
 * Throws InputError with the nearest name as its hint.
 */
export function named<T extends { readonly name: string }>(
  what: string,
  name: string,
  table: readonly T[],
): T {
  const found = table.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const names = table.map((entry) => entry.name);
  throw new InputError(`unknown ${what} '${name}'`, hintOfNames(name, names));
}
