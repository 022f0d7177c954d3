/** The child of a test: records events as fast as it can until somebody kills it. Tells on standard output how many were appended. */
import { writeSync } from "node:fs";
import { HistoryRecorder } from "./recorder.ts";

const [path = "", through = ""] = process.argv.slice(2);
const recorder = new HistoryRecorder(path, through === "through");
for (let i = 0; ; i++) {
  const type = i % 2 === 0 ? "invoke" : "ok";
  recorder.append({ time: i, process: 0, type, f: "write", value: { text: "ä".repeat(i % 50) } });
  if (i % 100 === 1) writeSync(1, `${i + 1}\n`);
}
