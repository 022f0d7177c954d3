import { InvalidArgumentError } from "commander";
import type { Outcome } from "../checkers/index.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { hintOfNames } from "./names.ts";

/** Parsers of option values, for commander's `.option(flags, text, parser)`. Each throws what commander shows as wrong usage (exit 64). */

const durationUnitsMs: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** "250ms", "60s", "5m", "1.5h" to milliseconds, more than 0. */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const durationMs = Math.round(Number(match?.[1]) * (durationUnitsMs[match?.[2] ?? ""] ?? Number.NaN));
  if (!Number.isSafeInteger(durationMs) || durationMs <= 0 || durationMs > 1000 * durationUnitsMs["h"]!) {
    throw new InvalidArgumentError("expected a duration such as 500ms, 60s, 5m or 1h");
  }
  return durationMs;
}

/** As `parseDurationMs` reads it: "60s", "1500ms". */
export function formatDuration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** A word of a command line as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w.,:/=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const sizeUnitsBytes: { readonly [unit: string]: number } = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** "512m", "4g" to bytes, more than 0. */
export function parseSizeBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmg])b?$/i.exec(text);
  const sizeBytes = Math.round(
    Number(match?.[1]) * (sizeUnitsBytes[match?.[2]?.toLowerCase() ?? ""] ?? Number.NaN),
  );
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0) {
    throw new InvalidArgumentError("expected a size such as 512m or 4g");
  }
  return sizeBytes;
}

/** A parser of whole numbers from `min` to `max`. */
export function integerBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** Seeds are whole numbers of 32 bits: fast-check's and the generators' common range. */
export const parseSeed: (text: string) => number = integerBetween(0, 2 ** 32 - 1);

/** A parser of "a,b,c" where each item has to be one of `names`, without repetition. "none" is the empty list. */
export function listOf(what: string, names: readonly string[]): (text: string) => readonly string[] {
  return (text) => {
    if (text === "none") return [];
    const items = text.split(",").map((item) => item.trim());
    for (const item of items)
      if (!names.includes(item)) throw new InvalidArgumentError(unknownName(what, item, names));
    return [...new Set(items)];
  };
}

/** A parser of one of `names`. */
export function oneOf(what: string, names: readonly string[]): (text: string) => string {
  return (text) => {
    if (!names.includes(text)) throw new InvalidArgumentError(unknownName(what, text, names));
    return text;
  };
}

function unknownName(what: string, name: string, names: readonly string[]): string {
  return `unknown ${what} '${name}'; ${hintOfNames(name, names)}`;
}

/** Writes a line of results to standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes the one object of `--json` to standard output. */
export function printJson(output: object): void {
  process.stdout.write(`${JSON.stringify(output)}\n`);
}

/** Tells the shell how it ended. Called once by a command that came to a verdict. */
export function exitWith(outcome: Outcome): void {
  process.exitCode = exitCodeOf(outcome);
}
