import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../results/index.ts";
import type { Job } from "./job.ts";

/** For tests: jobs whose words a stand-in of zabcheck understands, so that a hundred of them take seconds. */

export function job(id: string, words: readonly string[], more: Partial<Job> = {}): Job {
  return {
    id,
    subject: { kind: "run", name: "register", where: "embedded", faults: "kill", seed: 7 },
    words,
    expectedMs: 100,
    limitMs: 20_000,
    graceMs: 1000,
    memoryBytes: 1,
    processBytes: 2 ** 30,
    processors: 1,
    usesDocker: false,
    ...more,
  };
}

export function manifest(change: Partial<Manifest> = {}): Manifest {
  return {
    format: "zabcheck-run",
    formatVersion: 1,
    zabcheck: "0",
    scenario: "register",
    seed: 7,
    cluster: { kind: "embedded", version: "embedded", servers: ["server-1"], defect: null },
    parameters: {},
    schedule: [],
    host: { platform: "", release: "", architecture: "", processors: 1, memoryBytes: 1, node: "" },
    startedAt: "2026-01-01T00:00:00.000Z",
    endedAt: "2026-01-01T00:00:05.000Z",
    status: "complete",
    error: null,
    operations: 12,
    outcome: "holds",
    verdicts: [{ name: "order", verdict: "holds", detail: "" }],
    ...change,
  };
}

/** A verdict of each kind, as the stand-in's runs have it. */
const violated = {
  outcome: "violated",
  verdicts: [
    { name: "order", verdict: "violated", detail: "", violation: { summary: "it ran back", events: [] } },
  ],
};
const unknown = {
  outcome: "unknown",
  verdicts: [{ name: "order", verdict: "unknown", detail: "no time" }],
};

/**
 * Writes a stand-in of zabcheck into `folder` and returns the words that start it. Its first word says what it does:
 * holds, violates, unknown, hangs (and ends when asked), confesses (as hangs, with a violation), deaf (does not), crashes (after its first operation), dies
 * (killed by itself), refuses, absent (cannot start), eats (memory), sleeps MS. Each call adds a line to `calls`.
 */
export function standIn(folder: string): { readonly command: readonly string[]; readonly calls: string } {
  const calls = join(folder, "calls");
  const program = join(folder, "stand-in.mjs");
  const source = `
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
const words = process.argv.slice(2);
const [what, argument = ""] = words;
const at = words.indexOf("--results");
const results = at === -1 ? "" : words[at + 1];
if (what === "check") process.stdout.write(JSON.stringify({ checks: [], operations: 3 }));
if (what === "check" || what === "report") process.exit(0);
appendFileSync(${JSON.stringify(calls)}, [what, argument, results.split("/").at(-1)].join(" ") + "\\n");
let run = 0;
function keep(change, history = true) {
  const directory = join(results, "register", Date.now() + "-" + run++);
  mkdirSync(directory, { recursive: true });
  const startedAt = new Date().toISOString();
  const whole = { ...${JSON.stringify(manifest())}, startedAt, ...change };
  writeFileSync(join(directory, "manifest.json"), JSON.stringify(whole));
  if (history) writeFileSync(join(directory, "history.jsonl"), "x".repeat(100) + "\\n");
}
const running = { status: "running", outcome: null, verdicts: [], operations: 0 };
const forever = () => setInterval(() => {}, 1000);
const supervised = () => process.stdin.on("end", () => process.exit(130)).resume();
switch (what) {
  case "holds": keep({}); break;
  case "violates": keep(${JSON.stringify(violated)}); process.exitCode = 1; break;
  case "unknown": keep(${JSON.stringify(unknown)}); process.exitCode = 2; break;
  case "sleeps": supervised(); setTimeout(() => { keep({}); process.exit(0); }, Number(argument)); break;
  case "hangs": keep(running); supervised(); process.on("SIGINT", () => { keep({ status: "interrupted" }); process.exit(0); }); forever(); break;
  case "confesses": keep(running); process.on("SIGINT", () => { keep({ ...${JSON.stringify(violated)}, status: "interrupted" }); process.exit(1); }); forever(); break;
  case "deaf": keep(running); process.on("SIGINT", () => {}); forever(); break;
  case "crashes": keep(running); console.error("zabcheck: internal error"); process.exit(70);
  case "dies": keep(running); process.kill(process.pid, "SIGKILL"); break;
  case "refuses": console.error("zabcheck: unknown fault 'flood' (there are: kill)"); process.exit(64);
  case "absent": console.error("zabcheck: no Docker Engine answers (start it)"); process.exit(70);
  case "eats": { keep(running); const eaten = []; setInterval(() => eaten.push(Buffer.alloc(2 ** 24, 1)), 10); break; }
  default: throw new Error("what is " + what);
}
`;
  writeFileSync(program, source);
  return { command: [process.execPath, program], calls };
}
