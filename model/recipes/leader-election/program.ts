import { nameOf, type Client } from "../../specification/index.ts";
import type { Answer, Input, Program, Reaction, Request } from "../service/index.ts";
import {
  decide,
  outOfElection,
  type CandidateEvent,
  type CandidateState,
  type CandidateStep,
} from "./decisions.ts";

/** A candidate and how often it stood for election. */
export type Candidate = { readonly candidate: CandidateState; readonly joined: number };

export const electionPath = "/election";

/** How a candidate decides, and how it reads the list: what the variants of the recipe change. */
export interface Conduct {
  readonly decide: typeof decide;
  /** The list of candidates is read with a watch on the parent, and predecessors are not watched. */
  readonly watchesParent?: boolean;
}

/** The recipe's decisions as a program of the service's clients: what runs against an ensemble is what is explored. */
export function candidateProgram(conduct: Conduct, candidacies: number): Program<Candidate> {
  const react = ({ candidate, joined }: Candidate, event: CandidateEvent): Reaction<Candidate> => {
    const { state, step } = conduct.decide(candidate, event);
    return {
      state: { candidate: state, joined: event.type === "join" ? joined + 1 : joined },
      request: requestOf(step, conduct.watchesParent === true),
    };
  };
  return {
    start: () => ({ candidate: outOfElection, joined: 0 }),
    choices({ candidate, joined }) {
      if (candidate.phase === "out") return joined < candidacies ? ["join"] : [];
      // A candidate that withdrew while it waits would leave its watch behind: that of a departure which wakes two.
      return candidate.phase === "leading" ? ["resign"] : [];
    },
    react: (state, input, client) => react(state, eventOf(input, guidOf(client, state.joined + 1))),
  };
}

function guidOf(client: Client, candidacy: number): string {
  return `${nameOf(client)}.${candidacy}`;
}

function eventOf(input: Input, guid: string): CandidateEvent {
  switch (input.type) {
    case "choice":
      return input.choice === "join" ? { type: "join", guid } : { type: "resign" };
    case "event":
      return { type: "notified" };
    case "disconnected":
    case "expired":
      return { type: input.type };
    case "answer":
      return answered(input.request, input.answer);
  }
}

function answered(request: Request, answer: Answer): CandidateEvent {
  switch (request.op) {
    case "create":
      return answer.error === null ? { type: "created", node: nodeOf(answer.path) } : { type: "refused" };
    case "getChildren":
      return answer.error === null ? { type: "children", nodes: answer.children } : { type: "refused" };
    case "delete":
      return { type: "deleted" };
    default:
      return answer.error === null ? { type: "present", czxid: answer.czxid } : { type: "absent" };
  }
}

function requestOf(step: CandidateStep, watchesParent: boolean): Request | null {
  switch (step.do) {
    case "create":
      return { op: "create", path: pathOf(step.prefix), data: "", ephemeral: true, sequential: true };
    case "list":
      return { op: "getChildren", path: electionPath, watch: watchesParent, sync: step.sync };
    case "watch":
      return { op: "exists", path: pathOf(step.node), watch: !watchesParent, sync: false };
    case "claim":
      return { op: "exists", path: pathOf(step.node), watch: false, sync: false };
    case "delete":
      return { op: "delete", path: pathOf(step.node), version: -1 };
    case "wait":
    case "lead":
    case "rest":
      return null;
  }
}

export function pathOf(node: string): string {
  return `${electionPath}/${node}`;
}

function nodeOf(path: string): string {
  return path.slice(electionPath.length + 1);
}
