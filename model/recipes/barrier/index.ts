export {
  participantDecisions,
  type ParticipantCommand,
  type ParticipantDecisions,
  type ParticipantState,
} from "./decisions.ts";
export { doubleBarrierModel } from "./model.ts";
export * as barrierMistakes from "./mistakes.ts";
