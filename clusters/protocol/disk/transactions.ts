import { isUtf8 } from "node:buffer";

import type { SubTransactionBody, Transaction, TransactionBody, TreeDigest } from "../../../model/index.ts";
import { errorNames, errorNumbers, opCode } from "../codes.ts";
import { ProtocolError } from "../errors.ts";
import { JuteReader } from "../jute-reader.ts";
import { JuteWriter } from "../jute-writer.ts";
import { readAcl, readStrings, writeAcl, writeStrings } from "../records.ts";

// TxnHeader, the records of package txn, and TxnDigest, as they stand in logs and in PROPOSAL packets.

export interface DecodedTransaction {
  readonly transaction: Transaction;
  readonly digest?: TreeDigest;
  /** Where the header and the transaction end and the digest begins. */
  readonly contentEnd: number;
  readonly binary: boolean;
}

const digestBytes = 12;
/** The version that every release since 3.6 writes; it tells a digest from the paths of a closeSession. */
const digestVersion = 2;

/** Decodes one logged payload. Throws ProtocolError. */
export function readTransaction(bytes: Buffer): DecodedTransaction {
  const reader = new JuteReader(bytes);
  const session = reader.hex64("clientId");
  const cxid = reader.i32("cxid");
  const zxid = reader.zxid("zxid");
  const timeMs = reader.i64("time");
  const type = reader.i32("type");
  const decoder = new BodyReader(reader);
  const body = decoder.body(type);
  const contentEnd = reader.offset;
  const transaction = { header: { session, cxid, zxid, timeMs }, body };
  const decoded = { transaction, contentEnd, binary: decoder.binary };
  if (reader.remaining === 0) return decoded;
  const version = reader.i32("digest version");
  const digest = { version, value: reader.hex64("treeDigest") };
  reader.expectEnd("the transaction");
  return { ...decoded, digest };
}

class BodyReader {
  readonly #reader: JuteReader;
  binary = false;

  constructor(reader: JuteReader) {
    this.#reader = reader;
  }

  body(type: number): TransactionBody {
    const reader = this.#reader;
    switch (type) {
      case opCode.createSession:
        return { type: "createSession", timeoutMs: reader.i32("timeOut") };
      case opCode.closeSession:
        return { type: "closeSession", paths: this.#closedPaths() };
      case opCode.setACL:
        return {
          type: "setACL",
          path: reader.string("path"),
          acl: readAcl(reader),
          version: reader.i32("version"),
        };
      case opCode.multi:
        return { type: "multi", transactions: reader.vector("txns", 8, () => this.#part()) };
      case opCode.reconfig:
        return {
          type: "reconfig",
          path: reader.string("path"),
          data: this.#data(reader),
          version: reader.i32("version"),
        };
      default:
        return this.#sub(reader, type);
    }
  }

  /** Absent before 3.6, and wherever closeSessionTxn.enabled is off; a digest may follow at once. */
  #closedPaths(): string[] | null {
    const reader = this.#reader;
    const left = reader.remaining;
    if (left === 0) return null;
    if (left === digestBytes && reader.bytes.readInt32BE(reader.offset) === digestVersion) return null;
    return readStrings(reader, "paths2Delete");
  }

  /** Txn {type, data}: a transaction inside a multi. */
  #part(): SubTransactionBody {
    const type = this.#reader.i32("type");
    const bytes = this.#reader.buffer("data");
    if (bytes === null) throw new ProtocolError("data: expected a transaction inside the multi, found null");
    const reader = new JuteReader(bytes);
    const body = this.#sub(reader, type);
    reader.expectEnd("a transaction inside the multi");
    return body;
  }

  #sub(reader: JuteReader, type: number): SubTransactionBody {
    switch (type) {
      case opCode.create:
      case opCode.create2: {
        const path = reader.string("path");
        const data = this.#data(reader);
        const acl = readAcl(reader);
        const ephemeral = reader.bool("ephemeral");
        // Before 3.3.4 (CreateTxnV0) the record ends here.
        const parentCversion = reader.remaining === 0 ? -1 : reader.i32("parentCVersion");
        return { type: "create", path, data, acl, ephemeral, parentCversion };
      }
      case opCode.createContainer:
      case opCode.createTTL: {
        const path = reader.string("path");
        const data = this.#data(reader);
        const acl = readAcl(reader);
        const parentCversion = reader.i32("parentCVersion");
        const common = { path, data, acl, ephemeral: false, parentCversion } as const;
        if (type === opCode.createContainer) return { type: "createContainer", ...common };
        return { type: "createTTL", ...common, ttlMs: reader.i64("ttl") };
      }
      case opCode.delete:
        return { type: "delete", path: reader.string("path") };
      case opCode.deleteContainer:
        return { type: "deleteContainer", path: reader.string("path") };
      case opCode.setData:
        return {
          type: "setData",
          path: reader.string("path"),
          data: this.#data(reader),
          version: reader.i32("version"),
        };
      case opCode.check:
        return { type: "check", path: reader.string("path"), version: reader.i32("version") };
      case opCode.error: {
        const number = reader.i32("err");
        // Inside a failed multi, what stood before the culprit has the code 0.
        const error = errorNames.get(number === 0 ? errorNumbers.RuntimeInconsistency : number);
        if (error === undefined) {
          throw new ProtocolError(`err: expected the number of an error, found ${number}`);
        }
        return { type: "error", error };
      }
      default:
        throw new ProtocolError(`type: expected the type of a transaction, found ${type}`);
    }
  }

  /** Data is text in this project; other bytes are shown, and compared, in base64. */
  #data(reader: JuteReader): string | null {
    const bytes = reader.buffer("data");
    if (bytes === null) return null;
    if (isUtf8(bytes)) return bytes.toString("utf8");
    this.binary = true;
    return `base64,${bytes.toString("base64")}`;
  }
}

/** Encodes a transaction as a server logs it, with its digest where there is one. */
export function writeTransaction(writer: JuteWriter, transaction: Transaction, digest?: TreeDigest): void {
  const { header, body } = transaction;
  writer.hex64(header.session);
  writer.i32(header.cxid);
  writer.i64(header.zxid);
  writer.i64(header.timeMs);
  writer.i32(typeOf(body));
  writeBody(writer, body);
  if (digest === undefined) return;
  writer.i32(digest.version);
  writer.hex64(digest.value);
}

function typeOf(body: TransactionBody): number {
  return opCode[body.type];
}

function writeBody(writer: JuteWriter, body: TransactionBody): void {
  switch (body.type) {
    case "createSession":
      return writer.i32(body.timeoutMs);
    case "closeSession":
      return body.paths === null ? undefined : writeStrings(writer, body.paths);
    case "multi":
      return writer.vector(body.transactions, (to, part) => {
        to.i32(typeOf(part));
        const record = new JuteWriter();
        writeBody(record, part);
        to.buffer(record.view());
      });
    case "error":
      return writer.i32(errorNumbers[body.error]);
    case "create":
    case "createContainer":
    case "createTTL":
      writer.string(body.path);
      writer.string(body.data);
      writeAcl(writer, body.acl);
      if (body.type === "create") writer.bool(body.ephemeral);
      writer.i32(body.parentCversion);
      return body.type === "createTTL" ? writer.i64(body.ttlMs ?? 0) : undefined;
    case "delete":
    case "deleteContainer":
      return writer.string(body.path);
    case "setACL":
      writer.string(body.path);
      writeAcl(writer, body.acl);
      return writer.i32(body.version);
    case "setData":
    case "reconfig":
      writer.string(body.path);
      writer.string(body.data);
      return writer.i32(body.version);
    case "check":
      writer.string(body.path);
      return writer.i32(body.version);
  }
}
