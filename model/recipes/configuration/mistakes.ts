import { rest, send } from "../decisions.ts";
import type { ReaderDecisions } from "./decisions.ts";

/** It reads without a watch, and sets one afterwards without looking at what that read says. */
export function watchesLate(recipe: ReaderDecisions, path: string): ReaderDecisions {
  return {
    ...recipe,
    decide(state, event) {
      if (state.phase === "settled" && event.type === "answer") return rest(state);
      const decision = recipe.decide(state, event);
      if (decision.request?.op === "getData")
        return send(decision.state, { ...decision.request, watch: false });
      return state.phase === "reading" && decision.state.phase === "settled"
        ? send(decision.state, { op: "exists", path, watch: true, sync: false })
        : decision;
    },
  };
}

/** With a new session it goes on with what it has: its watch is gone with the old one. */
export function forgetsWatch(recipe: ReaderDecisions): ReaderDecisions {
  return {
    ...recipe,
    decide: (state, event) =>
      state.phase === "settled" && event.type === "expired" ? rest(state) : recipe.decide(state, event),
  };
}
