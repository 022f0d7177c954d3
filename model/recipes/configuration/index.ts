export {
  readerDecisions,
  writerDecisions,
  type ReaderDecisions,
  type ReaderState,
  type WriterDecisions,
  type WriterState,
} from "./decisions.ts";
export { configurationModel } from "./model.ts";
export * as configurationMistakes from "./mistakes.ts";
