import { childPath } from "../../sequential/index.ts";
import { rest, send, type Decision, type Decisions } from "../decisions.ts";
import type { RecipeRequest } from "../service/index.ts";
import type { LockDecisions, LockState } from "./decisions.ts";

/*
 * Well-known mistakes in locks.
 */

/** It waits for one that went before it could be watched. */
export function waitsForNobody(recipe: LockDecisions): LockDecisions {
  return {
    ...recipe,
    decide(state, event) {
      if (state.phase !== "watching" || event.type !== "answer" || event.answer.error === null)
        return recipe.decide(state, event);
      const { tag, mode, node } = state;
      return rest({ phase: "waiting", tag, mode, node });
    },
  };
}

const node = "held";

/**
 * The lock of many code bases: one ephemeral znode of a fixed path, deleted by that path to release it, whoever owns
 * it by then. With `givesUp` a client that waits may give up, and releases, as code does that releases in a `finally`.
 */
export function fixedPath(
  path: string,
  givesUp: boolean,
): Decisions<LockState, "acquire-write" | "release" | "give-up"> {
  const at = childPath(path, node);
  const mode = "write";
  const create = (tag: string): Decision<LockState> =>
    send(
      { phase: "creating", tag, mode },
      { op: "create", path: at, data: tag, ephemeral: true, sequential: false },
    );
  const look: RecipeRequest = { op: "getData", path: at, watch: true, sync: true };
  const remove: RecipeRequest = { op: "delete", path: at, version: -1 };
  return {
    start: { phase: "free" },
    commands({ phase }) {
      if (phase === "free") return ["acquire-write"];
      if (phase === "waiting") return givesUp ? ["give-up"] : [];
      return phase === "holding" ? ["release"] : [];
    },
    decide(state, event) {
      if (state.phase === "free") return event.type === "command" ? create(event.tag) : rest(state);
      const { tag } = state;
      if (state.phase === "releasing") {
        return event.type === "answer" ? rest({ phase: "free" }) : send(state, remove);
      }
      // The mistake: the znode may be another's by now, after an expired session or when one has only waited.
      if (event.type === "command" || (event.type === "expired" && state.phase === "holding")) {
        return send({ phase: "releasing", tag, mode, node }, remove);
      }
      if (event.type === "expired") return rest({ phase: "free" });
      if (event.type !== "answer") return send({ phase: "listing", tag, mode, node }, look);
      const { request, answer } = event;
      if (request.op === "create") {
        return answer.error === null
          ? rest({ phase: "holding", tag, mode, node })
          : send({ phase: "listing", tag, mode, node }, look);
      }
      if (answer.error !== null) return create(tag);
      return rest({ phase: answer.data === tag ? "holding" : "waiting", tag, mode, node });
    },
  };
}
