import { createHash } from "node:crypto";

import type { LogEnd, LoggedTransaction, RecordsBehind } from "../../../model/index.ts";
import { ProtocolError } from "../errors.ts";
import { adler32 } from "./adler32.ts";
import type { ByteSource } from "./byte-source.ts";
import { readTransaction } from "./transactions.ts";

export const logMagic = 0x5a4b4c47; // "ZKLG"
export const logHeaderBytes = 16;
/** i64 checksum and i32 length before the payload; one byte behind it. */
const recordHeaderBytes = 12;
const endOfRecord = 0x42;
/** No TxnHeader fits into less. */
const payloadBytesMin = 32;

export interface LogReaderOptions {
  /** A longer record counts as torn; 64 MiB by default. */
  readonly recordBytesMax?: number;
  /** How many whole records behind the end of a log are named; 1,000 by default. */
  readonly behindMax?: number;
  /** Records that were decoded already: servers log the same ones, and one copy of each is kept. */
  readonly known?: KnownRecords;
}

export type KnownRecords = Map<string, Omit<LoggedTransaction, "offset">>;

const recordBytesMaxDefault = 64 * 1024 * 1024;
const behindMaxDefault = 1_000;

/**
 * Reads a transaction log record by record (FileTxnLog), and returns how it ended. Its memory is that of one record.
 *
 * The log ends, as for a server, at the file's end, at a record of length 0 (preallocated space), or at one that was
 * not written to its end; a wrong checksum is damage. What stands behind is searched for whole records, which the
 * server wrote and will not read again. Throws ProtocolError where the file is no log.
 */
export function* readLog(
  source: ByteSource,
  options: LogReaderOptions = {},
): Generator<LoggedTransaction, LogEnd> {
  readHeader(source);
  const recordBytesMax = options.recordBytesMax ?? recordBytesMaxDefault;
  let offset = logHeaderBytes;
  for (;;) {
    const framed = frameAt(source, offset, recordBytesMax);
    if (framed.kind === "record") {
      const record = decode(framed.payload, offset, options.known);
      if (record instanceof ProtocolError) {
        return { kind: "damaged", offset, reason: record.message, ...behind(source, framed.next, options) };
      }
      yield record;
      offset = framed.next;
    } else if (framed.kind === "end") {
      return { kind: "clean", offset, ...behind(source, offset, options) };
    } else {
      const { kind, reason } = framed;
      return { kind, offset, reason, ...behind(source, offset + 1, options) };
    }
  }
}

function readHeader(source: ByteSource): void {
  const header = source.at(0, logHeaderBytes);
  if (header.length < logHeaderBytes) {
    throw new ProtocolError(`expected a log's header of ${logHeaderBytes} bytes, found ${header.length}`);
  }
  const magic = header.readInt32BE(0);
  if (magic !== logMagic) {
    throw new ProtocolError(
      `expected a transaction log, which begins with "ZKLG", found bytes ${header.toString("hex", 0, 4)}`,
    );
  }
  const version = header.readInt32BE(4);
  if (version !== 2) throw new ProtocolError(`expected a log of version 2, found ${version}`);
}

type Framed =
  | { readonly kind: "record"; readonly payload: Buffer; readonly next: number }
  | { readonly kind: "end" }
  | { readonly kind: "torn" | "damaged"; readonly reason: string };

function frameAt(source: ByteSource, offset: number, recordBytesMax: number): Framed {
  const header = source.at(offset, recordHeaderBytes);
  if (header.length === 0) return { kind: "end" };
  if (header.length < recordHeaderBytes) {
    return header.some((byte) => byte !== 0)
      ? { kind: "torn", reason: `the file ends ${header.length} bytes into the record` }
      : { kind: "end" };
  }
  const checksumHigh = header.readUInt32BE(0);
  const checksum = header.readUInt32BE(4);
  const length = header.readInt32BE(8);
  if (length === 0) return { kind: "end" };
  if (length < 0 || length > recordBytesMax) {
    return { kind: "torn", reason: `expected a length from 0 to ${recordBytesMax}, found ${length}` };
  }
  const body = source.at(offset + recordHeaderBytes, length + 1);
  if (body.length < length + 1) {
    return { kind: "torn", reason: `the file ends ${body.length} bytes into a payload of ${length}` };
  }
  if (body[length] !== endOfRecord) {
    return {
      kind: "torn",
      reason: `expected 0x42 at the end of the record, found 0x${hexByte(body[length])}`,
    };
  }
  const payload = body.subarray(0, length);
  const found = adler32(payload);
  if (checksumHigh !== 0 || found !== checksum) {
    const written = `0x${header.toString("hex", 0, 8).replace(/^0+(?=.)/, "")}`;
    return {
      kind: "damaged",
      reason: `expected the checksum ${written}, the payload has 0x${found.toString(16)}`,
    };
  }
  return { kind: "record", payload, next: offset + recordHeaderBytes + length + 1 };
}

function hexByte(byte: number | undefined): string {
  return (byte ?? 0).toString(16).padStart(2, "0");
}

function decode(payload: Buffer, offset: number, known?: KnownRecords): LoggedTransaction | ProtocolError {
  const key = identity(payload);
  const decoded = known?.get(key);
  if (decoded !== undefined) return { ...decoded, offset };
  try {
    const { transaction, digest, contentEnd, binary } = readTransaction(payload);
    const content = contentEnd === payload.length ? key : identity(payload.subarray(0, contentEnd));
    const record = {
      transaction,
      content,
      ...(digest === undefined ? {} : { digest }),
      ...(binary ? { binary } : {}),
    };
    known?.set(key, record);
    return { ...record, offset };
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
}

/** Hashing costs more than keeping as many bytes. */
const keptBytesMax = 256;

/** A string that is equal for equal bytes only. */
function identity(bytes: Buffer): string {
  if (bytes.length <= keptBytesMax) return bytes.toString("latin1");
  return `${bytes.length} bytes, SHA-256 ${createHash("sha256").update(bytes).digest("base64")}`;
}

/**
 * Searches for whole records from `start` on. The work is bounded: checksums are computed for what begins and ends
 * like a record only, and over at most four times the bytes that there are.
 */
function behind(source: ByteSource, start: number, options: LogReaderOptions): { behind?: RecordsBehind } {
  const recordBytesMax = options.recordBytesMax ?? recordBytesMaxDefault;
  const behindMax = options.behindMax ?? behindMaxDefault;
  const records: LoggedTransaction[] = [];
  let budget = 4 * (source.size - start) + 1024 * 1024;
  let offset = start;
  let more = false;
  for (;;) {
    const candidate = nextCandidate(source, offset);
    if (candidate === undefined) break;
    const length = plausibleLength(source, candidate, recordBytesMax);
    offset = candidate + 1;
    if (length === undefined) continue;
    budget -= length;
    if (budget < 0 || records.length === behindMax) {
      more = true;
      break;
    }
    const framed = frameAt(source, candidate, recordBytesMax);
    const record = framed.kind === "record" ? decode(framed.payload, candidate, options.known) : undefined;
    if (framed.kind !== "record" || record === undefined || record instanceof ProtocolError) continue;
    records.push(record);
    offset = framed.next;
  }
  return records.length > 0 || more ? { behind: { records, more } } : {};
}

const blockBytes = 64 * 1024;
const zeroBlock = Buffer.alloc(blockBytes);
const fourZeros = Buffer.alloc(4);

/** Where the next record could begin: at four zeros, the upper half of its checksum, which is not zero as a whole. */
function nextCandidate(source: ByteSource, start: number): number | undefined {
  let offset = start;
  while (offset + recordHeaderBytes + payloadBytesMin < source.size) {
    const block = source.at(offset, blockBytes);
    if (block.length === blockBytes && block.equals(zeroBlock)) {
      offset += blockBytes - 7;
      continue;
    }
    const zeros = block.indexOf(fourZeros);
    if (zeros === -1) {
      offset += Math.max(1, block.length - 3);
      continue;
    }
    if (zeros + 8 > block.length) {
      if (zeros === 0) return undefined;
      offset += zeros;
      continue;
    }
    if (block.readUInt32BE(zeros + 4) !== 0) return offset + zeros;
    let run = zeros + 8;
    while (run < block.length && block[run] === 0) run += 1;
    offset += run - 7;
  }
  return undefined;
}

function plausibleLength(source: ByteSource, offset: number, recordBytesMax: number): number | undefined {
  const header = source.at(offset, recordHeaderBytes);
  if (header.length < recordHeaderBytes || header.readUInt32BE(0) !== 0) return undefined;
  const length = header.readInt32BE(8);
  if (length < payloadBytesMin || length > recordBytesMax) return undefined;
  const end = source.at(offset + recordHeaderBytes + length, 1);
  return end[0] === endOfRecord ? length : undefined;
}
