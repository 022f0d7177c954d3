import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { OperationError } from "../../../model/index.ts";

/** Says how far a longer piece of work is, a line at a time. */
export type Progress = (line: string) => void;

/** True where a program of that name lies on the PATH (or in the system's folders that ordinary users' PATH may lack). */
export function hasTool(name: string): boolean {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Throws OperationError "no-tool" that says what to install. */
export function needTool(name: string, purpose: string, packageName: string, otherwise: string): void {
  if (hasTool(name)) return;
  throw new OperationError(
    "no-tool",
    `${purpose} needs ${name}, which is not installed`,
    `apt-get install ${packageName}, or ${otherwise}`,
  );
}

export interface ToolResult {
  readonly code: number;
  readonly output: string;
}

const outputCharsMax = 64 * 1024;

/** Runs a program to its end, without standard input; its output (the last 64 Ki characters of both streams) is returned, not shown. */
export function runTool(
  name: string,
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const path = `${process.env["PATH"] ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`;
    const child = spawn(name, parameters, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C", PATH: path, ...environment },
    });
    let output = "";
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString("utf8")).slice(-outputCharsMax);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) =>
      reject(
        new OperationError("tool", `could not run ${name}: ${error.message}`, "is it installed?", error),
      ),
    );
    child.on("close", (code, signal) => resolve({ code: code ?? (signal === null ? 1 : 128), output }));
  });
}

/** The lines of a tool's output that say what went wrong. */
export function lastErrors(output: string): string {
  const lines = stripVTControlCharacters(output)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && line !== "[ERROR]");
  const errors = lines.filter((line) => /^(\[ERROR\]|E:|W:|error|fatal)/i.test(line));
  const chosen = errors.length > 0 ? errors.slice(0, 1) : lines.slice(-2);
  return chosen.join(" ").slice(0, 600);
}
