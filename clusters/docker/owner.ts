import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** The process that something left on a machine belongs to, known well enough to tell it from a later one with the same id. */
export interface Owner {
  readonly pid: number;
  /** When the process started, in the kernel's ticks since boot; "" where the system does not tell. */
  readonly start: string;
  readonly host: string;
  /** The boot of that host; "" where the system does not tell. */
  readonly boot: string;
  /** The process-id namespace: inside a container, ids mean something else. */
  readonly namespace: string;
}

export type Liveness = "alive" | "dead" | "unknown";

/** This process, or another one that runs on this machine. */
export function thisOwner(pid: number = process.pid): Owner {
  return {
    pid,
    start: startOf(pid) ?? "",
    host: hostname(),
    boot: bootOf(),
    namespace: namespaceOf(),
  };
}

/** Whether that process still runs; "unknown" for one of another machine, or of another container on this one. */
export function livenessOf(owner: Owner, here: Owner = thisOwner()): Liveness {
  if (owner.host !== here.host) return "unknown";
  if (owner.boot !== here.boot) return "dead";
  if (owner.namespace !== here.namespace) return "unknown";
  if (!exists(owner.pid)) return "dead";
  const start = startOf(owner.pid);
  return start === undefined || owner.start === "" || start === owner.start ? "alive" : "dead";
}

/** As labels of what the Engine keeps. */
export function labelsOf(owner: Owner): Record<string, string> {
  return {
    "zabcheck.pid": String(owner.pid),
    "zabcheck.start": owner.start,
    "zabcheck.host": owner.host,
    "zabcheck.boot": owner.boot,
    "zabcheck.namespace": owner.namespace,
  };
}

/** The owner that labels tell; undefined where they do not. */
export function ownerOf(labels: Readonly<Record<string, string>>): Owner | undefined {
  const pid = Number(labels["zabcheck.pid"]);
  const host = labels["zabcheck.host"];
  if (!Number.isSafeInteger(pid) || pid <= 0 || host === undefined) return undefined;
  return {
    pid,
    host,
    start: labels["zabcheck.start"] ?? "",
    boot: labels["zabcheck.boot"] ?? "",
    namespace: labels["zabcheck.namespace"] ?? "",
  };
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return stateOf(pid) !== "Z";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The fields of /proc/PID/stat behind the command's name, which may hold blanks and brackets itself. */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function stateOf(pid: number): string | undefined {
  return statFields(pid)?.[0];
}

function startOf(pid: number): string | undefined {
  return statFields(pid)?.[19];
}

function bootOf(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

function namespaceOf(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}
