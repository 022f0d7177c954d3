import { candidatePrefix, decide, inOrder, type CandidateState } from "./decisions.ts";

/*
 * Well-known mistakes in the election, each as the recipe's decisions with one of them changed.
 */

type Decide = typeof decide;

/** After a lost reply it creates again, under another name: the first znode, if there is one, is nobody's. */
export const createsAgain: Decide = (state, event) => {
  if (state.phase !== "creating" || event.type !== "disconnected") return decide(state, event);
  const guid = `${state.guid}+`;
  return { state: { phase: "creating", guid }, step: { do: "create", prefix: candidatePrefix(guid) } };
};

/** Everybody watches the lowest candidate. */
export const watchesLeader: Decide = (state, event) => {
  const decision = decide(state, event);
  if (event.type !== "children" || decision.state.phase !== "watching") return decision;
  const leader = inOrder(event.nodes)[0] ?? decision.state.predecessor;
  return { state: { ...decision.state, predecessor: leader }, step: { do: "watch", node: leader } };
};

/** It takes the departure of its predecessor for its own turn, and does not read the candidates again. */
export const leadsWhenNotified: Decide = (state, event) =>
  state.phase === "waiting" && event.type === "notified"
    ? {
        state: { phase: "claiming", guid: state.guid, node: state.node },
        step: { do: "claim", node: state.node },
      }
    : decide(state, event);

/** It waits for a predecessor that went before it could be watched. */
export const waitsForNobody: Decide = (state, event) =>
  state.phase === "watching" && event.type === "absent"
    ? { state: { ...state, phase: "waiting" }, step: { do: "wait" } }
    : decide(state, event);

/** It looks for its GUID also after its session expired, and not behind a sync: it may find the znode that is going. */
export const keepsGuid: Decide = (state, event) => {
  const searching = state.phase === "creating" || (state.phase === "listing" && state.node === null);
  if (!searching || (event.type !== "expired" && event.type !== "disconnected")) return decide(state, event);
  return {
    state: { phase: "listing", guid: state.guid, node: null },
    step: { do: "list", sync: false },
  };
};

/** It believes to lead until somebody tells it otherwise, across disconnections and new sessions. */
export const keepsLeadership: Decide = (state, event) =>
  state.phase === "leading" && (event.type === "disconnected" || event.type === "expired")
    ? { state, step: { do: "rest" } }
    : decide(state, event);

/** With a new session it looks for its old znode, and leads again if a server that lags still shows it. */
export const takesLeadershipBack: Decide = (state, event) => {
  if (event.type !== "expired" || !hasNode(state)) return decide(state, event);
  return {
    state: { phase: "listing", guid: state.guid, node: state.node },
    step: { do: "list", sync: false },
  };
};

function hasNode(
  state: CandidateState,
): state is Extract<CandidateState, { phase: "leading" | "waiting" | "claiming" }> {
  return state.phase === "leading" || state.phase === "waiting" || state.phase === "claiming";
}
