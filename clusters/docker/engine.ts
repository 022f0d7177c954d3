import Docker from "dockerode";
import { OperationError } from "../../model/index.ts";

/** The Engine's API as dockerode speaks it. */
export type Engine = Docker;

/** An answer of the Engine that is an error. */
interface EngineError extends Error {
  readonly statusCode?: number;
  readonly code?: string;
}

/** One call may take this long; a hung Engine is an error, not a wait. Streams are made by `streamingEngine`. */
const callTimeoutMs = 60_000;

/**
 * Connects to the Engine that the machine's settings name (DOCKER_HOST and its relatives, else the local socket)
 * and asks whether it answers.
 * Throws OperationError "no-docker".
 */
export async function connectEngine(): Promise<Engine> {
  try {
    const engine = new Docker({ timeout: callTimeoutMs });
    await engine.ping();
    return engine;
  } catch (error) {
    throw noEngine(error);
  }
}

/** The same Engine without a limit on the time of one call, for builds, exports and shells. */
export function streamingEngine(): Engine {
  return new Docker();
}

function noEngine(cause: unknown): OperationError {
  const { code, message } = asEngineError(cause);
  const where = process.env["DOCKER_HOST"];
  const at = where === undefined || where === "" ? "the local socket" : `DOCKER_HOST=${where}`;
  if (code === "EACCES" || code === "EPERM") {
    return new OperationError(
      "no-docker",
      `no permission to use the Docker Engine at ${at}`,
      "run as root, or add your user to the group 'docker' and log in again",
      cause,
    );
  }
  const why = code === "ENOENT" ? "there is no such socket" : (code ?? message.trim());
  return new OperationError(
    "no-docker",
    `no Docker Engine answers at ${at}: ${why}`,
    "start it (systemctl start docker), set DOCKER_HOST, or use --cluster embedded",
    cause,
  );
}

/** True where the Engine answered "no such container, network, volume or image". */
export function isMissing(error: unknown): boolean {
  return asEngineError(error).statusCode === 404;
}

/** True where the thing is in that state already (304), or is being changed by somebody else (409). */
export function isConflict(error: unknown): boolean {
  const { statusCode } = asEngineError(error);
  return statusCode === 304 || statusCode === 409;
}

/** What the Engine said, on one line. */
export function reasonOf(error: unknown): string {
  const { message } = asEngineError(error);
  return message
    .replace(/^\(HTTP code \d+\) [^-]* - /, "")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** Turns the failure of a call into an OperationError that says what was tried; one that is so already is kept. */
export function engineFailure(what: string, error: unknown): OperationError {
  if (error instanceof OperationError) return error;
  const { code } = asEngineError(error);
  if (code === "ENOENT" || code === "ECONNREFUSED" || code === "EACCES") return noEngine(error);
  const reason = reasonOf(error);
  const port = /(?:Bind for |listen tcp\d? )\S*?:(\d+)(?: failed)?:/.exec(reason)?.[1];
  if (port !== undefined && /already (?:allocated|in use)/.test(reason)) {
    return new OperationError(
      "port-in-use",
      `port ${port} of the Docker host is in use`,
      "choose another port",
      error,
    );
  }
  return new OperationError("docker", `Docker could not ${what}: ${reason}`, hintOf(reason), error);
}

const hints: readonly (readonly [RegExp, string])[] = [
  [
    /no command specified|executable file not found/i,
    "is it an image of ZooKeeper by the official image's contract?",
  ],
  [/no space left on device/i, "free disk space: `docker system df` shows what the Engine keeps"],
  [
    /socket hang up|ECONNRESET|EPIPE/i,
    "the Engine took too long or went away: is it alive (`docker version`)?",
  ],
  [/no such image/i, "make it with `zabcheck image`, or load it with `docker pull` or `docker load`"],
];

function hintOf(reason: string): string {
  for (const [pattern, hint] of hints) if (pattern.test(reason)) return hint;
  return "`docker info` and the Engine's own log may tell more";
}

function asEngineError(error: unknown): EngineError {
  return error instanceof Error ? error : new Error(String(error));
}
