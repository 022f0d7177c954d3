import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Below it no job is started. */
export const freeBytesMin: number = 2 ** 30;

/** What is left on the file system of a folder, for who is not root. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

const reserveBytes = 4 * 2 ** 20;

/** A file that keeps space for a night's last words, for when the disk is full. */
export class Reserve {
  readonly #path: string;

  constructor(directory: string) {
    this.#path = join(directory, ".reserve");
  }

  /** Where there is no space even for this the night finds out by itself. */
  take(): void {
    try {
      writeFileSync(this.#path, Buffer.alloc(reserveBytes));
    } catch {
      this.release();
    }
  }

  release(): void {
    rmSync(this.#path, { force: true });
  }
}
