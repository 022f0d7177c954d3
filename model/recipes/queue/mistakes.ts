import { childPath } from "../../sequential/index.ts";
import { inSequence, rest, send } from "../decisions.ts";
import type { ConsumerDecisions } from "./decisions.ts";

/** It takes an element of a list without order, and does not look at what its deletion answers. */
export function takesAny(recipe: ConsumerDecisions, queue: string): ConsumerDecisions {
  return {
    ...recipe,
    decide(state, event) {
      if (event.type !== "answer") return recipe.decide(state, event);
      if (state.phase === "deleting") return rest({ phase: "processing", element: state.element });
      if (state.phase !== "listing" || event.answer.error !== null) return recipe.decide(state, event);
      const last = inSequence(event.answer.children).at(-1);
      return last === undefined
        ? rest({ phase: "idle" })
        : send(
            { phase: "deleting", element: last },
            { op: "delete", path: childPath(queue, last), version: -1 },
          );
    },
  };
}
