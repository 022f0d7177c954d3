import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a command of a child process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Child {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

/**
 * Starts a TypeScript module of this repository in a process of its own, from its source: `argv` is what it finds in
 * process.argv after the module. For tests of what only a process can do: be killed, be interrupted, exit.
 */
export function startModule(url: URL, argv: readonly string[], cwd?: string): Child {
  const module = JSON.stringify(fileURLToPath(url));
  const vite = JSON.stringify(import.meta.resolve("vite"));
  const script = `const { runnerImport } = await import(${vite}); process.argv.splice(1, 0, ${module}); await runnerImport(${module}, { logLevel: "error", configFile: false });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, "--", ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { process: child, ended };
}
