export { sequentialIds, versionIds, type TakerDecisions, type TakerState } from "./decisions.ts";
export { uniqueIdsModel } from "./model.ts";
export * as uniqueIdsMistakes from "./mistakes.ts";
