import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";

import {
  type EpochFile,
  InputError,
  type LogFile,
  type LoggedTransaction,
  type ServerDisk,
  type SnapshotFile,
  type Zxid,
} from "../../../model/index.ts";
import { ProtocolError } from "../errors.ts";
import { FileSource } from "./byte-source.ts";
import { type KnownRecords, type LogReaderOptions, readLog } from "./log-reader.ts";
import { readSnapshot } from "./snapshot-reader.ts";
import { unpackSnappyStream } from "./snappy.ts";

export interface ServerDiskOptions extends LogReaderOptions {
  /** A larger snapshot, unpacked, counts as unreadable; 1 GiB by default. */
  readonly snapshotBytesMax?: number;
  /** Told of each file before it is read. */
  readonly onFile?: (path: string, bytes: number) => void;
}

const snapshotBytesMaxDefault = 1024 * 1024 * 1024;
const depthMax = 6;

/** A server's directory: what lies in its `version-2` folders, wherever below it they are. */
interface ServerFolder {
  readonly path: string;
  readonly versionFolders: readonly string[];
}

/**
 * Reads what each server left on disk. One directory stands for one server; one that holds several servers' directories
 * (`server-1`, `server-2`, ...) and nothing of its own stands for all of them.
 *
 * Throws InputError where a directory holds no `version-2` folder or cannot be read, and where a file called log.* is
 * no transaction log.
 */
export function readServerDisks(
  directories: readonly string[],
  options: ServerDiskOptions = {},
): ServerDisk[] {
  const folders = directories.flatMap(serverFolders);
  const seen = new Map<string, string>();
  for (const folder of folders) {
    for (const path of folder.versionFolders) {
      const other = seen.get(path);
      if (other !== undefined) {
        throw new InputError(
          `${path}: is given twice, in ${other} and in ${folder.path}`,
          "give one directory a server",
        );
      }
      seen.set(path, folder.path);
    }
  }
  const names = distinctNames(folders.map((folder) => folder.path));
  const known: KnownRecords = new Map();
  return folders.map((folder, index) =>
    readServer(folder, names[index] ?? folder.path, { known, ...options }),
  );
}

/**
 * One server where nothing lies there twice, as a server's data and logs lie apart at most; several where each of its
 * sub-folders is a server. A folder that holds nothing but one other stands for that one.
 */
function serverFolders(directory: string): ServerFolder[] {
  const root = resolve(directory);
  list(root, directory);
  const all = versionFolders(root, depthMax);
  if (all.length === 0) {
    throw new InputError(
      `${directory}: expected a server's data directory, found no version-2 folder in it`,
      "give one directory for each server: the one that holds its data, and its logs where these lie apart",
    );
  }
  const children = list(root, directory)
    .sort()
    .map((entry) => join(root, entry))
    .filter((path) => basename(path) !== "version-2" && isDirectory(path))
    .map((path) => ({ path, versionFolders: versionFolders(path, depthMax - 1) }))
    .filter((child) => child.versionFolders.length > 0);
  const whole = { path: root, versionFolders: all };
  const twice = foundTwice(whole);
  const inChildren = children.reduce((count, child) => count + child.versionFolders.length, 0);
  if (inChildren < all.length || children.length === 0) {
    if (twice === undefined) return [whole];
    throw severalServers(directory, twice);
  }
  const [only] = children;
  if (children.length === 1 && only !== undefined) {
    return isPartOfOne(only.path) && twice === undefined ? [whole] : serverFolders(only.path);
  }
  if (twice === undefined && children.every((child) => isPartOfOne(child.path))) return [whole];
  for (const child of children) {
    const inside = foundTwice(child);
    if (inside !== undefined) throw severalServers(child.path, inside);
  }
  return children;
}

/** A name that a server has once only, in two of the folders; undefined where there is none. */
function foundTwice(folder: ServerFolder): string | undefined {
  const seen = new Set<string>();
  for (const path of folder.versionFolders) {
    for (const entry of list(path, path)) {
      if (!/^(log|snapshot)\.|Epoch$/.test(entry)) continue;
      if (seen.has(entry)) return entry;
      seen.add(entry);
    }
  }
  return undefined;
}

function severalServers(directory: string, twice: string): InputError {
  return new InputError(
    `${directory}: holds the disks of several servers, as ${twice} is in it more than once`,
    "give one directory for each server of one ensemble",
  );
}

/** Folders that hold a part of one server (dataDir, dataLogDir), not a server each. */
function isPartOfOne(path: string): boolean {
  return /(data|log|snap|txn)/i.test(basename(path));
}

/** The `version-2` folders in a directory, itself included, down to a depth that also ends cycles of links. */
function versionFolders(directory: string, depth: number): string[] {
  if (basename(directory) === "version-2") return [directory];
  const found: string[] = [];
  for (const entry of list(directory, directory).sort()) {
    const path = join(directory, entry);
    if (!isDirectory(path)) continue;
    if (entry === "version-2") found.push(path);
    else if (depth > 1) found.push(...versionFolders(path, depth - 1));
  }
  return found;
}

function list(path: string, shown: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    throw new InputError(
      `${shown}: cannot be read: ${reasonOf(error)}`,
      "give an existing, readable directory",
      error,
    );
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The last part of each path that tells them apart: "server-1", or "a/data" beside "b/data". */
function distinctNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split("/").filter((part) => part !== "" && part !== "version-2"));
  for (let count = 1; count < 32; count += 1) {
    const names = parts.map((path) => path.slice(-count).join("/"));
    if (new Set(names).size === names.length) return names;
  }
  return [...paths];
}

const snapshotName = /^snapshot\.([0-9a-f]{1,16})(\.gz|\.snappy)?$/;
const logName = /^log\.([0-9a-f]{1,16})$/;

function readServer(folder: ServerFolder, name: string, options: ServerDiskOptions): ServerDisk {
  const files = folder.versionFolders.flatMap((path) => list(path, path).map((entry) => join(path, entry)));
  const named = (pattern: RegExp): { path: string; zxid: Zxid }[] =>
    files
      .flatMap((path) => {
        const zxid = pattern.exec(basename(path))?.[1];
        return zxid === undefined ? [] : [{ path, zxid: Number.parseInt(zxid, 16) }];
      })
      .sort((a, b) => a.zxid - b.zxid);
  const currentEpoch = readEpoch(files, "currentEpoch");
  const acceptedEpoch = readEpoch(files, "acceptedEpoch");
  return {
    name,
    logs: named(logName).flatMap(({ path, zxid }, index, all) => {
      const log = readLogFile(path, zxid, options, index === all.length - 1);
      return log === undefined ? [] : [log];
    }),
    snapshots: named(snapshotName).map(({ path, zxid }) => readSnapshotFile(path, zxid, options)),
    ...(currentEpoch === undefined ? {} : { currentEpoch }),
    ...(acceptedEpoch === undefined ? {} : { acceptedEpoch }),
  };
}

function readLogFile(
  path: string,
  firstZxid: Zxid,
  options: ServerDiskOptions,
  newest: boolean,
): LogFile | undefined {
  let source: FileSource;
  try {
    source = new FileSource(path);
  } catch (error) {
    throw new InputError(`${path}: cannot be read: ${reasonOf(error)}`, "make it readable", error);
  }
  try {
    options.onFile?.(path, source.size);
    // Created and not yet written: a server deletes such a newest log at its start.
    if (newest && source.size === 0) return undefined;
    const records: LoggedTransaction[] = [];
    const reader = readLog(source, options);
    for (;;) {
      const next = reader.next();
      if (next.done === true) return { path, firstZxid, records, end: next.value };
      records.push(next.value);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new InputError(
      `${path}: ${error.message}`,
      "only ZooKeeper's own files may be called log.*",
      error,
    );
  } finally {
    source.close();
  }
}

function readSnapshotFile(path: string, zxid: Zxid, options: ServerDiskOptions): SnapshotFile {
  const bytesMax = options.snapshotBytesMax ?? snapshotBytesMaxDefault;
  const nothing = { sessions: 0, nodes: 0, newestZxid: 0 };
  try {
    const { size } = statSync(path);
    options.onFile?.(path, size);
    if (size > bytesMax) throw new ProtocolError(`expected at most ${bytesMax} bytes, found ${size}`);
    return { path, zxid, invalid: undefined, ...readSnapshot(unpack(path, readFileSync(path), bytesMax)) };
  } catch (error) {
    if (error instanceof ProtocolError) return { path, zxid, invalid: error.message, ...nothing };
    throw new InputError(`${path}: cannot be read: ${reasonOf(error)}`, "make it readable", error);
  }
}

function unpack(path: string, bytes: Buffer, bytesMax: number): Buffer {
  if (path.endsWith(".snappy")) return unpackSnappyStream(bytes, bytesMax);
  if (!path.endsWith(".gz")) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    throw new ProtocolError(`expected a gzip stream: ${reasonOf(error)}`);
  }
}

function readEpoch(files: readonly string[], name: string): EpochFile | undefined {
  const path = files.find((file) => basename(file) === name);
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(path, "latin1").trim();
  } catch (error) {
    throw new InputError(`${path}: cannot be read: ${reasonOf(error)}`, "make it readable", error);
  }
  if (!/^-?[0-9]{1,15}$/.test(text)) {
    throw new InputError(
      `${path}: expected an epoch, a decimal number, found ${JSON.stringify(text.slice(0, 40))}`,
      "restore the file, or remove it to judge the logs without it",
    );
  }
  return { path, epoch: Number(text) };
}
