import { rest, send } from "../decisions.ts";
import type { ParticipantDecisions, ParticipantState } from "./decisions.ts";

/*
 * Mistakes in double barriers, each as the recipe's decisions with one of them changed.
 */

type Mistake = (recipe: ParticipantDecisions) => ParticipantDecisions;

/** Who has finished removes its znode and goes, whoever still works. */
export const leavesEarly: Mistake = (recipe) => ({
  ...recipe,
  decide(state, event) {
    if (state.phase === "removing" && event.type === "answer") return rest({ ...state, phase: "done" });
    const { state: next, request } = recipe.decide(state, event);
    return state.phase === "working" && next.phase === "looking for others"
      ? recipe.decide({ ...state, phase: "removing" }, { type: "disconnected" })
      : { state: next, request };
  },
});

/** It works as soon as it has joined. */
export const entersEarly: Mistake = (recipe) => ({
  ...recipe,
  decide: (state, event) =>
    state.phase === "joining" && event.type === "answer"
      ? rest({ ...state, phase: "working" })
      : recipe.decide(state, event),
});

/** It waits to be told, and has not asked to be. */
export const watchesNothing: Mistake = (recipe) => ({
  ...recipe,
  decide(state, event) {
    const { state: next, request } = recipe.decide(state, event);
    return next.phase === "looking for ready" && request?.op === "exists"
      ? send(next, { ...request, watch: false })
      : { state: next, request };
  },
});

/** Whose session has expired joins again as if for the first time: the others may be done already. */
export const joinsTooLate: Mistake = (recipe) => ({
  ...recipe,
  decide(state, event) {
    const { state: next, request } = recipe.decide({ ...state, again: false }, event);
    const again = state.again || next.again;
    return { state: { ...next, again } satisfies ParticipantState, request };
  },
});

/** Whose session has expired goes on working, and the others do not wait for it. */
export const worksOn: Mistake = (recipe) => ({
  ...recipe,
  decide: (state, event) =>
    state.phase === "working" && event.type === "expired" ? rest(state) : recipe.decide(state, event),
});
