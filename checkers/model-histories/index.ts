export {
  exploreHistories,
  type HistoryCoverage,
  type HistoryExample,
  type HistoryExploration,
} from "./explore-histories.ts";
export { withPromises, type PromiseTally } from "./tally.ts";
