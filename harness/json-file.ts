import { readFileSync } from "node:fs";
import { parse, printParseErrorCode, type ParseError } from "jsonc-parser";
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
    const { place, reason } = complaintAbout(text);
    throw new InputError(`${path}:${place}: is no JSON: ${reason}`, hint, error);
  }
}

/** Where a text stops being JSON, as "line:column", and why: JSON.parse says so only now and then. */
function complaintAbout(text: string): { readonly place: string; readonly reason: string } {
  const errors: ParseError[] = [];
  parse(text, errors, { disallowComments: true });
  const [first] = errors;
  const before = text.slice(0, first?.offset ?? text.length);
  const words = first === undefined ? "not JSON" : printParseErrorCode(first.error);
  return {
    place: `${before.split("\n").length}:${before.length - before.lastIndexOf("\n")}`,
    reason: words.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase(),
  };
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
