import { createWriteStream, mkdirSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract, pack } from "tar-stream";

/** The official image's user and group. */
const owner = { uid: 1000, gid: 1000 };

/** A tar archive of small files, by path without a leading slash; a path that ends in one is a folder. */
export async function archiveOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith("/")) archive.entry({ name, type: "directory", mode: 0o755, ...owner });
    else archive.entry({ name, mode: 0o644, ...owner }, content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/**
 * Writes the regular files of an archive below `folder` and returns how many there were. Names come from a server:
 * links, devices and paths that lead out of the folder are left out.
 */
export async function extractFiles(archive: NodeJS.ReadableStream, folder: string): Promise<number> {
  const reader = extract();
  let files = 0;
  reader.on("entry", (header, stream, next) => {
    const inside = safePath(header.name);
    if (header.type !== "file" || inside === undefined) {
      stream.on("end", next);
      stream.resume();
      return;
    }
    files += 1;
    const path = join(folder, inside);
    mkdirSync(dirname(path), { recursive: true });
    pipeline(stream, createWriteStream(path)).then(() => next(), next);
  });
  await pipeline(archive, reader);
  return files;
}

/** A file that is kept in memory may be this long. */
const fileBytesMax = 256 * 1024 * 1024;

/**
 * The regular files of an archive in memory, by path without a leading slash, as far as they are wanted. The Engine
 * names the files of a folder /a/b by b/...: `folder` is that folder, so that the names come out whole.
 * Throws RangeError for a file beyond what may be kept.
 */
export async function filesOf(
  archive: NodeJS.ReadableStream,
  wanted: (name: string) => boolean,
  folder = "/conf",
): Promise<Record<string, Buffer>> {
  const above = posix.dirname(folder).replace(/^\//, "");
  const reader = extract();
  const files: Record<string, Buffer> = {};
  reader.on("entry", (header, stream, next) => {
    const inside = safePath(header.name);
    const name = inside === undefined ? undefined : posix.join(above, inside);
    const chunks: Buffer[] = [];
    const keep = header.type === "file" && name !== undefined && wanted(name);
    if (keep && (header.size ?? 0) > fileBytesMax) {
      next(new RangeError(`${name} has ${header.size} bytes, more than ${fileBytesMax}`));
      return;
    }
    stream.on("data", (chunk: unknown) => {
      if (keep) chunks.push(chunk as Buffer);
    });
    stream.on("error", next);
    stream.on("end", () => {
      if (keep) files[name] = Buffer.concat(chunks);
      next();
    });
  });
  await pipeline(archive, reader);
  return files;
}

/** The path as one below a folder; undefined where it leads elsewhere. */
export function safePath(name: string): string | undefined {
  const path = posix.normalize(name.replaceAll("\\", "/"));
  if (path.startsWith("/") || path === ".." || path.startsWith("../") || path === "." || name.includes("\0"))
    return undefined;
  return path;
}
