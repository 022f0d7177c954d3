export {
  memberDecisions,
  membersDecisions,
  type MemberCommand,
  type MemberDecisions,
  type MembersDecisions,
  type MembersState,
  type MemberState,
} from "./decisions.ts";
export { membershipModel } from "./model.ts";
export * as membershipMistakes from "./mistakes.ts";
