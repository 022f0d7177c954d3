export { logFile, logHeader, logRecord } from "./log-writer.ts";
export { type LogReaderOptions, readLog } from "./log-reader.ts";
export { bufferSource, type ByteSource, FileSource } from "./byte-source.ts";
export { readServerDisks, type ServerDiskOptions } from "./read-server-disk.ts";
export { readSnapshot, type SnapshotContent } from "./snapshot-reader.ts";
export { snapshotFile, type Snapshot, type SnapshotNode } from "./snapshot-writer.ts";
export { type DecodedTransaction, readTransaction, writeTransaction } from "./transactions.ts";
