import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../../model/index.ts";
import { supervisedVariable } from "../interruption.ts";

/** What a child may use, and who may end it. */
export interface ChildOrder {
  /** The program and its words. */
  readonly command: readonly string[];
  /** Everything that it says goes there. */
  readonly log: string;
  readonly limitMs: number;
  /** How long it may take to end after it was asked to; then it is killed. */
  readonly graceMs: number;
  /** Of its resident memory; where the system does not tell it nothing is done. */
  readonly memoryBytesMax: number;
  readonly stop: AbortSignal;
  /** The process exists. */
  readonly onStart?: (pid: number) => void;
}

/** Who ended a child; by itself unless told. */
export type ChildEnding = "by itself" | "its limit" | "its memory" | "the supervisor";

export interface ChildEnd {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly ending: ChildEnding;
  /** Whether it had to be killed. */
  readonly killed: boolean;
  readonly ms: number;
}

const lookMs = 1000;

/**
 * Runs a child to its end. Who has to be ended is first asked to (SIGINT: it heals and keeps what there is), and killed
 * with all its own children when it takes too long.
 *
 * The child leads a process group of its own, so that a Ctrl-C at the terminal reaches the supervisor only; its standard
 * input is a pipe that ends when this process dies, upon which it ends itself (`withInterruption`).
 * Throws OperationError where it cannot be started.
 */
export async function runChild(order: ChildOrder): Promise<ChildEnd> {
  const startMs = performance.now();
  const child = await start(order);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const over = new AbortController();
  const watching = watch(order, child, startMs, over.signal);
  const { code, signal } = await ended;
  over.abort();
  const { ending, killed } = await watching;
  return { code, signal, ending, killed, ms: performance.now() - startMs };
}

async function start({ command, log, onStart }: ChildOrder): Promise<ChildProcess> {
  const [program = "", ...words] = command;
  const descriptor = openSync(log, "a");
  try {
    const child = spawn(program, words, {
      stdio: ["pipe", descriptor, descriptor],
      detached: true,
      env: { ...process.env, [supervisedVariable]: "1" },
    });
    // A child that ends while it is written to is no failure of ours.
    child.stdin?.on("error", () => undefined);
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error) =>
        reject(
          new OperationError(
            "CHILD",
            `${program} cannot be started: ${error.message}`,
            "is it there?",
            error,
          ),
        ),
      );
    });
    onStart?.(child.pid ?? 0);
    return child;
  } finally {
    closeSync(descriptor);
  }
}

/** Ends the child when it is time to. Resolves when it has ended. */
async function watch(
  order: ChildOrder,
  child: ChildProcess,
  startMs: number,
  over: AbortSignal,
): Promise<{ readonly ending: ChildEnding; readonly killed: boolean }> {
  const { limitMs, memoryBytesMax, stop, graceMs } = order;
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: over }).catch(() => undefined);
  const stopped = aborted(stop, over);
  let ending: ChildEnding = "by itself";
  while (!over.aborted && ending === "by itself") {
    const leftMs = limitMs - (performance.now() - startMs);
    if (stop.aborted) ending = "the supervisor";
    else if (leftMs <= 0) ending = "its limit";
    else if (residentBytes(child.pid ?? 0) > memoryBytesMax) ending = "its memory";
    else await Promise.race([pause(Math.min(lookMs, leftMs)), stopped]);
  }
  if (over.aborted) return { ending: "by itself", killed: false };
  child.kill("SIGINT");
  // It holds on to its memory while it ends in good order: it is not given that time.
  await pause(ending === "its memory" ? 0 : graceMs);
  if (over.aborted) return { ending, killed: false };
  killGroup(child.pid ?? 0);
  await pause(2 ** 30);
  return { ending, killed: true };
}

/** Resolves when either is aborted; of the first, which may outlive many children, nothing is kept after the second. */
function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  if (signal.aborted || over.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true, signal: over });
    over.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Kills a process and what it has started. What is gone already is ended. */
export function killGroup(pid: number): void {
  if (pid <= 1) return;
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, "SIGKILL");
    } catch {
      // Gone, or no leader of a group.
    }
  }
}

/** As Linux tells it; 0 where nobody does. */
function residentBytes(pid: number): number {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
