export { detectFormat } from "./detect.ts";
export { formats, type Format, type History, type HistoryReader } from "./history-reader.ts";
export { EdnError, parseEdn } from "./edn.ts";
export { formatOfFile, readerFor, readHistory } from "./read-file.ts";
