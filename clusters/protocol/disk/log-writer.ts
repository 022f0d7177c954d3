import type { Transaction, TreeDigest } from "../../../model/index.ts";
import { JuteWriter } from "../jute-writer.ts";
import { adler32 } from "./adler32.ts";
import { logMagic } from "./log-reader.ts";
import { writeTransaction } from "./transactions.ts";

/** The 16 bytes that a transaction log begins with. */
export function logHeader(): Buffer {
  const writer = new JuteWriter(16);
  writer.i32(logMagic);
  writer.i32(2);
  writer.i64(0);
  return writer.take();
}

/** One record of a transaction log: checksum, length, payload and the byte that ends it. */
export function logRecord(transaction: Transaction, digest?: TreeDigest): Buffer {
  const payload = new JuteWriter();
  writeTransaction(payload, transaction, digest);
  const bytes = payload.view();
  const record = new JuteWriter(bytes.length + 16);
  record.i64(adler32(bytes));
  record.buffer(bytes);
  record.i8(0x42);
  return record.take();
}

/** A whole log file, with `paddingBytes` of preallocated zeros behind its records. */
export function logFile(records: readonly (Transaction | Buffer)[], paddingBytes = 0): Buffer {
  return Buffer.concat([
    logHeader(),
    ...records.map((record) => (Buffer.isBuffer(record) ? record : logRecord(record))),
    Buffer.alloc(paddingBytes),
  ]);
}
