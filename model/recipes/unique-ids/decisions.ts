import { childPath, sequenceNumber } from "../../sequential/index.ts";
import { rest, send, type Decision, type Decisions } from "../decisions.ts";
import type { RecipeRequest, RecipeResult } from "../service/index.ts";

/*
 * Unique ids: from the names of sequential znodes, or from the versions of a counter. Without an answer the id is
 * nobody's: a gap is no harm, an id that two have is.
 */

/** What a client knows: the id that it was given last, once it was. */
export type TakerState =
  { readonly phase: "idle" | "taking" } | { readonly phase: "given"; readonly id: number };

export type TakerDecisions = Decisions<TakerState, "generate">;

/** Ids are the numbers of persistent sequential znodes below `path`. */
export function sequentialIds(path: string): TakerDecisions {
  const create: RecipeRequest = {
    op: "create",
    path: childPath(path, "id-"),
    data: "",
    ephemeral: false,
    sequential: true,
  };
  return takerDecisions(create, (result) => sequenceNumber(result.path));
}

/** Ids are the versions of the znode `path`: each setData makes a new one. */
export function versionIds(path: string): TakerDecisions {
  return takerDecisions({ op: "setData", path, data: "", version: -1 }, ({ version }) => version);
}

function takerDecisions(
  ask: RecipeRequest,
  idIn: (result: RecipeResult) => number | undefined,
): TakerDecisions {
  return {
    start: { phase: "idle" },
    commands: ({ phase }) => (phase === "taking" ? [] : ["generate"]),
    decide(state, event): Decision<TakerState> {
      if (event.type === "command") return send({ phase: "taking" }, ask);
      if (state.phase !== "taking") return rest(state);
      const id = event.type === "answer" && event.answer.error === null ? idIn(event.answer) : undefined;
      return rest(id === undefined ? { phase: "idle" } : { phase: "given", id });
    },
  };
}
