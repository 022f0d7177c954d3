export {
  consumerDecisions,
  type ConsumerCommand,
  type ConsumerDecisions,
  type ConsumerState,
  type Delivery,
} from "./decisions.ts";
export { queueModel } from "./model.ts";
export * as queueMistakes from "./mistakes.ts";
