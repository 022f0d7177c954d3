import { rest, send } from "../decisions.ts";
import type { MembersDecisions } from "./decisions.ts";

/** The list is read without a watch, and the watch is set by a second read that nobody looks at. */
export function watchesLate(recipe: MembersDecisions): MembersDecisions {
  return {
    ...recipe,
    decide(state, event) {
      if (state.phase === "settled" && event.type === "answer") return rest(state);
      const { state: next, request } = recipe.decide(state, event);
      if (request?.op === "getChildren") return send(next, { ...request, watch: false });
      return state.phase === "reading" &&
        next.phase === "settled" &&
        event.type === "answer" &&
        event.request.op === "getChildren"
        ? send(next, { ...event.request, watch: true })
        : { state: next, request };
    },
  };
}
