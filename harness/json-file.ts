import { readFileSync } from "node:fs";
import type { z } from "zod";
import { InputError } from "../model/index.ts";

/**
 * Reads a file of JSON that a user gave.
 * Throws InputError with file, line and column where it cannot be read or is no JSON; `hint` says what was expected.
 */
export function readJsonFile(path: string, hint: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new InputError(`${path}: cannot be read: ${reasonOf(error)}`, hint, error);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const reason = reasonOf(error).replace(/ in JSON at position .*$/, "");
    throw new InputError(`${path}:${placeIn(text, reasonOf(error))}: is no JSON: ${reason}`, hint, error);
  }
}

/** "line:column" of what JSON.parse complains about; of the text's end where it only says that it is cut off. */
function placeIn(text: string, message: string): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  const before = text.slice(0, position === undefined ? text.length : Number(position));
  return `${before.split("\n").length}:${before.length - before.lastIndexOf("\n")}`;
}

/** "runs[0].workloads[1]: expected ..., got ...": the first thing that a schema has to say, with its path. */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "is not of the form";
  const path = pathOf(issue.path);
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}

export function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${String(key)}`))
    .join("");
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
