import { InputError } from "../../model/light.ts";
import type { Format } from "./history-reader.ts";

/** Bytes from the beginning of a file that detection looks at. */
export const detectionBytes: number = 64 * 1024;

/** What a file is, by its beginning. Throws InputError for an empty or binary one and for one of no known format. */
export function detectFormat(beginning: Uint8Array, file: string): Format {
  if (beginning.length === 0)
    throw new InputError(`${file}:1: the file is empty; expected a history`, "Give a recorded history.");
  if (beginning.includes(0)) {
    throw new InputError(
      `${file}:1: the file is binary; expected a history as text`,
      "Unpack it first if it is compressed.",
    );
  }
  const text = new TextDecoder().decode(beginning);
  const first = text.replace(/^\uFEFF/, "").replace(/^(\s|;[^\n]*\n)+/, "");
  if (/^\{\s*"format"\s*:/.test(first)) return "zabcheck";
  if (/^\{\s*"ClientId"\s*:/.test(first)) return "etcd-report";
  if (/\bjepsen\.[\w.]+\s*[-:]?\s.*:(invoke|ok|fail|info)\s/.test(text) || /^INFO\s/.test(first))
    return "jepsen-log";
  // A vector or list of all events, or the first of them.
  if (/^[[(]/.test(first) || first.startsWith("#jepsen.") || /^\{\s*:/.test(first)) return "jepsen-edn";
  throw new InputError(
    `${file}:1: this is no history of a known format; expected zabcheck's JSON lines, Jepsen's EDN or log, or etcd's report`,
    "Say what it is with --format.",
  );
}
