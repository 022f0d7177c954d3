import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../model/light.ts";
import { detectFormat, detectionBytes } from "./detect.ts";
import { EtcdReportReader } from "./etcd-report.ts";
import type { Format, History, HistoryReader } from "./history-reader.ts";
import { JepsenEdnReader } from "./jepsen-edn.ts";
import { JepsenLogReader } from "./jepsen-log.ts";
import { ZabcheckReader } from "./zabcheck-jsonl.ts";

const chunkBytes = 1 << 20;

/** A reader for a format; `file` is how messages name the source. */
export function readerFor(format: Format, file: string): HistoryReader {
  if (format === "zabcheck") return new ZabcheckReader(file);
  if (format === "jepsen-edn") return new JepsenEdnReader(file);
  return format === "jepsen-log" ? new JepsenLogReader(file) : new EtcdReportReader(file);
}

/**
 * The format of a file, unless given by its beginning; undefined for what can't be read twice. Throws InputError as
 * `readHistory` does.
 */
export function formatOfFile(path: string, format: Format | "auto"): Format | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
  if (format !== "auto") return format;
  const descriptor = open(path);
  try {
    const beginning = new Uint8Array(detectionBytes);
    return detectFormat(beginning.subarray(0, readSync(descriptor, beginning)), path);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads a history from a file, piece by piece, or etcd's report from its directory. Throws InputError for what can't
 * be read or is no history.
 */
export function readHistory(path: string, format: Format | "auto" = "auto"): History {
  if (isDirectory(path)) return readReport(path, format);
  let reader: HistoryReader | undefined;
  readChunks(path, (chunk) => {
    reader ??= readerFor(
      format === "auto" ? detectFormat(chunk.subarray(0, detectionBytes), path) : format,
      path,
    );
    reader.write(chunk);
  });
  if (reader === undefined)
    throw new InputError(`${path}:1: the file is empty; expected a history`, "Give a recorded history.");
  return reader.end();
}

function readReport(path: string, format: Format | "auto"): History {
  const clients = readdirSync(path)
    .filter((name) => /^client-\d+$/.test(name))
    .map((name) => join(path, name, "operations.json"))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() ?? false)
    .sort();
  if ((format !== "auto" && format !== "etcd-report") || clients.length === 0) {
    throw new InputError(
      `${path}: this is a directory; expected a file, or etcd's report with client-N/operations.json`,
      "Give a history's file.",
    );
  }
  const reader = new EtcdReportReader(clients[0] as string);
  clients.forEach((file, at) => {
    if (at > 0) reader.nextFile(file);
    readChunks(file, (chunk) => reader.write(chunk));
  });
  return reader.end();
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Gives a file's bytes, piece by piece; a piece is overwritten by the next one. Throws InputError for what can't be read. */
export function readChunks(path: string, take: (chunk: Uint8Array) => void): void {
  const descriptor = open(path);
  try {
    const buffer = new Uint8Array(
      Math.min(chunkBytes, Math.max(1, fstatSync(descriptor).size || chunkBytes)),
    );
    for (let read = readSync(descriptor, buffer); read > 0; read = readSync(descriptor, buffer))
      take(buffer.subarray(0, read));
  } finally {
    closeSync(descriptor);
  }
}

function open(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): InputError {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  const what = code === "ENOENT" ? "there is no such file" : `it can't be read (${code})`;
  return new InputError(`${path}: ${what}`, "Give the path of a recorded history.", error);
}
