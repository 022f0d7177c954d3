import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { OperationError } from "../../model/index.ts";
import { livenessOf, type Liveness, type Owner, thisOwner } from "./owner.ts";

/**
 * Folders for what lives no longer than a process: a run's journal, an image half made. Each names its owner, so
 * that the next process can remove what a killed one left.
 */

const ownerSchema = z.object({
  pid: z.number(),
  start: z.string(),
  host: z.string(),
  boot: z.string(),
  namespace: z.string(),
});

/** A folder without an owner's name is one between two system calls of its maker, or left so by a kill. */
const namelessMsMax = 60_000;

/** The folder of all scratch folders of this user, for nobody else to read or write. */
export function scratchRoot(): string {
  const root = join(tmpdir(), `zabcheck-${userInfo().uid}`);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const found = lstatSync(root);
  if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== process.getuid())) {
    throw new OperationError(
      "scratch",
      `${root} belongs to somebody else`,
      "remove it, or set TMPDIR to a folder of your own",
    );
  }
  return root;
}

/** Makes a scratch folder, owned by this process. `kind` begins its name. */
export function makeScratch(kind: string): string {
  const folder = mkdtempSync(join(scratchRoot(), `${kind}-`));
  writeFileSync(join(folder, "owner.json"), JSON.stringify(thisOwner()));
  return folder;
}

/** Removes a scratch folder and all in it, but nothing of another file system that is mounted there. */
export function removeScratch(folder: string): void {
  if (!existsSync(folder)) return;
  const device = statSync(folder).dev;
  const inside = readdirSync(folder, { withFileTypes: true });
  for (const entry of inside) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && lstatSync(path).dev !== device) return;
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 2 });
}

/** The scratch folders that there are, each with what became of its owner. */
export function listScratch(): readonly { readonly folder: string; readonly liveness: Liveness }[] {
  const root = scratchRoot();
  const here = thisOwner();
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => {
      const folder = join(root, entry.name);
      const owner = readOwner(folder);
      return { folder, liveness: owner === undefined ? livenessOfNameless(folder) : livenessOf(owner, here) };
    });
}

function readOwner(folder: string): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(join(folder, "owner.json"), "utf8")));
  } catch {
    return undefined;
  }
}

function livenessOfNameless(folder: string): Liveness {
  try {
    return Date.now() - statSync(folder).mtimeMs > namelessMsMax ? "dead" : "unknown";
  } catch {
    return "unknown";
  }
}

const lockPollMs = 250;

/**
 * Does `work` while no other process of this user does anything under the same name. A lock whose holder died is
 * taken over. `onWait` is told once when another holds it.
 * Throws OperationError "locked" after `waitMsMax`.
 */
export async function whileLocked<T>(
  name: string,
  waitMsMax: number,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const lock = join(scratchRoot(), `lock-${name.replaceAll(/[^\w.-]/g, "_")}`);
  const deadline = Date.now() + waitMsMax;
  for (let told = false; !takeLock(lock); told = true) {
    if (!told) onWait();
    if (Date.now() > deadline) {
      throw new OperationError(
        "locked",
        `another zabcheck has been at '${name}' for too long`,
        `if there is none, remove ${lock}`,
      );
    }
    await sleep(lockPollMs);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** A folder with its owner's name inside is moved into place at once: renaming onto a folder that holds something fails. */
function takeLock(lock: string): boolean {
  const own = makeScratch("taking");
  try {
    renameSync(own, lock);
    return true;
  } catch {
    rmSync(own, { recursive: true, force: true });
  }
  const holder = readOwner(lock);
  if (holder !== undefined && livenessOf(holder) === "dead") {
    // Only one of those who see the same dead holder can move it away.
    const grave = `${lock}-${basename(own)}`;
    try {
      renameSync(lock, grave);
      rmSync(grave, { recursive: true, force: true });
    } catch {
      // Somebody else did.
    }
  }
  return false;
}
