import { inSequence, rest, send } from "../decisions.ts";
import {
  decide,
  electionAt,
  type CandidateDecisions,
  type CandidateState,
  type Election,
} from "./decisions.ts";

/*
 * Well-known mistakes in the election, each as the recipe's decisions with one of them changed.
 */

type Decide = (
  election: Election,
  ...rest: Parameters<CandidateDecisions["decide"]>
) => ReturnType<CandidateDecisions["decide"]>;

/** A candidate that decides in its own way. */
export function mistaken(recipe: CandidateDecisions, path: string, decide: Decide): CandidateDecisions {
  const election = electionAt(path);
  return { ...recipe, decide: (state, event) => decide(election, state, event) };
}

/** After a lost reply it creates again, under another name: the first znode, if there is one, is nobody's. */
export const createsAgain: Decide = (election, state, event) =>
  state.phase === "creating" && event.type === "disconnected"
    ? election.create(`${state.guid}+`)
    : decide(election, state, event);

/** Everybody watches the lowest candidate. */
export const watchesLeader: Decide = (election, state, event) => {
  const decision = decide(election, state, event);
  if (decision.state.phase !== "watching" || event.type !== "answer" || event.answer.error !== null)
    return decision;
  const { guid, node, predecessor } = decision.state;
  return election.watch(guid, node, inSequence(event.answer.children)[0] ?? predecessor);
};

/** Everybody watches the list of candidates, and nobody another candidate. */
export const watchesParent: Decide = (election, state, event) => {
  const { state: next, request } = decide(election, state, event);
  if (next.phase === "watching") return rest({ ...next, phase: "waiting" });
  return request?.op === "getChildren" ? send(next, { ...request, watch: true }) : { state: next, request };
};

/** It takes the departure of its predecessor for its own turn, and does not read the candidates again. */
export const leadsWhenNotified: Decide = (election, state, event) =>
  state.phase === "waiting" && event.type === "event"
    ? election.claim(state.guid, state.node)
    : decide(election, state, event);

/** It waits for a predecessor that went before it could be watched. */
export const waitsForNobody: Decide = (election, state, event) =>
  state.phase === "watching" && event.type === "answer"
    ? rest({ ...state, phase: "waiting" })
    : decide(election, state, event);

/** It looks for its GUID also after its session expired, and not behind a sync: it may find the znode that is going. */
export const keepsGuid: Decide = (election, state, event) => {
  const searches = state.phase === "creating" || (state.phase === "listing" && state.node === null);
  if (!searches || (event.type !== "expired" && event.type !== "disconnected"))
    return decide(election, state, event);
  return lookUnsynced(election, { phase: "listing", guid: state.guid, node: null });
};

/** It believes to lead until somebody tells it otherwise, across disconnections and new sessions. */
export const keepsLeadership: Decide = (election, state, event) =>
  state.phase === "leading" && (event.type === "disconnected" || event.type === "expired")
    ? rest(state)
    : decide(election, state, event);

/** With a new session it looks for its old znode, and leads again if a server that lags still shows it. */
export const takesLeadershipBack: Decide = (election, state, event) =>
  event.type === "expired" && hasNode(state)
    ? lookUnsynced(election, { phase: "listing", guid: state.guid, node: state.node })
    : decide(election, state, event);

function lookUnsynced(
  election: Election,
  state: Extract<CandidateState, { phase: "listing" }>,
): ReturnType<Decide> {
  return send(state, { op: "getChildren", path: election.path, watch: false, sync: false });
}

function hasNode(
  state: CandidateState,
): state is Extract<CandidateState, { phase: "leading" | "waiting" | "claiming" }> {
  return state.phase === "leading" || state.phase === "waiting" || state.phase === "claiming";
}
