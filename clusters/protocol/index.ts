export { type Dialect, dialectOf } from "./codes.ts";
export { connectToServer, type ConnectionOptions } from "./connection.ts";
export { ProtocolError } from "./errors.ts";
export {
  askServer,
  type FourLetterOptions,
  type FourLetterReply,
  type FourLetterWord,
  parseMonitor,
  parseServerStatus,
  type ServerStatus,
} from "./four-letter-words.ts";
export { frameBytesMaxDefault, FrameReader } from "./frames.ts";
export * from "./disk/index.ts";
