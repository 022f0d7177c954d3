import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import type { Redis } from "ioredis";
import { pack, type Pack } from "tar-stream";
import { extractFiles } from "../../clusters/index.ts";
import { nightFiles } from "../../results/index.ts";
import { keptSeconds, type Parcel } from "./orders.ts";

const chunkBytes = 2 ** 20;
/** Compressed. Redis keeps it in memory until the plan takes it. */
export const parcelBytesMax: number = 2 ** 29;

/** Thrown for files that are too large to be sent. */
export class ParcelTooLarge extends Error {}

/** Puts the files below a folder into Redis, as a compressed archive in pieces. Links are left out. */
export async function sendFolder(
  redis: Redis,
  key: string,
  folder: string,
  bytesMax: number = parcelBytesMax,
): Promise<Parcel> {
  const archive = pack();
  let [chunks, bytes] = [0, 0];
  let isTooLarge = false;
  const push = async (piece: Buffer): Promise<void> => {
    bytes += piece.length;
    isTooLarge = bytes > bytesMax;
    if (isTooLarge) throw new ParcelTooLarge();
    await redis.rpush(key, piece);
    // With every piece, so that nothing stays for ever of a sender that is killed.
    await redis.expire(key, keptSeconds);
    chunks++;
  };
  const filled = fill(archive, folder).catch((error: unknown) => archive.destroy(error as Error));
  try {
    await pipeline(archive, createGzip({ level: 3 }), async (source: AsyncIterable<Buffer>) => {
      let pieces: Buffer[] = [];
      let length = 0;
      for await (const piece of source) {
        pieces.push(piece);
        length += piece.length;
        if (length < chunkBytes) continue;
        await push(Buffer.concat(pieces));
        [pieces, length] = [[], 0];
      }
      if (length > 0) await push(Buffer.concat(pieces));
    });
    await filled;
    return { key, chunks };
  } catch (error) {
    await redis.del(key);
    // Which of the streams that end each other speaks first is chance.
    throw isTooLarge ? new ParcelTooLarge() : error;
  }
}

async function fill(archive: Pack, folder: string): Promise<void> {
  for (const path of filesBelow(folder)) {
    const { size } = statSync(path);
    const header = { name: relative(folder, path), size };
    // To its size at this moment: who still writes to it must not break the archive.
    if (size === 0) archive.entry(header, "");
    else await pipeline(createReadStream(path, { end: size - 1 }), archive.entry(header));
  }
  archive.finalize();
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

/**
 * Takes the files of a parcel into a night: first aside, then each run whole to its place, so that a run that is there
 * is complete. A run of the same name is the same run, which came before and was not recorded. False where the parcel
 * is not there any more.
 */
export async function takeParcel(redis: Redis, { key, chunks }: Parcel, night: string): Promise<boolean> {
  if ((await redis.llen(key)) !== chunks) return false;
  const aside = join(night, "incoming", key.replaceAll(/[^\w.+-]+/g, "-"));
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true });
  try {
    const archive = createGunzip();
    const inflated = pipeline(Readable.from(piecesOf(redis, key, chunks)), archive);
    await Promise.all([inflated, extractFiles(archive, aside)]);
    for (const log of below(join(aside, nightFiles.logs))) move(aside, night, log);
    for (const job of below(join(aside, nightFiles.runs)))
      for (const scenario of below(job)) for (const run of below(scenario)) move(aside, night, run);
    return true;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

async function* piecesOf(redis: Redis, key: string, chunks: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < chunks; i++) {
    const piece = await redis.lindexBuffer(key, i);
    if (piece === null) throw new Error(`${key} is incomplete`);
    yield piece;
  }
}

function below(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

function move(from: string, to: string, path: string): void {
  const target = join(to, relative(from, path));
  mkdirSync(dirname(target), { recursive: true });
  rmSync(target, { recursive: true, force: true });
  renameSync(path, target);
}
